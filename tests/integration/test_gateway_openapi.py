"""The whole REST interface against its own OpenAPI document: schemathesis sends requests to a real gateway and worker.

Left out by name: what has no end (the video), and WebSockets, which OpenAPI does not describe.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from api_gateway.app import create_app
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from emotii.local.redis_server import PrivateServer, find_server
from tests.stage import Producer, gateway_process, until

ENDLESS = {"/video_feed"}
BY_MEANING = {
    ("post", "/api/v1/predict"),
    ("post", "/api/v1/jobs"),
    ("post", "/api/v1/sources"),
    ("patch", "/api/v1/faces/{emotion}/{name}"),
    ("post", "/api/v1/erasures"),
}
"""No schema can say which bytes are a picture, what can be captured, which emotions there are, or what contradicts
itself: 422 is right, too."""
EXAMPLES = 12
"""Of each operation: half of them as described, half of them otherwise."""


def operations() -> list[tuple[str, str]]:
    described = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0"))).openapi()["paths"]
    return [(method, path) for path, methods in described.items() if path not in ENDLESS for method in methods]


@dataclass(frozen=True)
class Stage:
    """A gateway that runs, its document, and the names of what is there."""

    schema: schemathesis.BaseSchema
    url: str
    known: dict[str, str]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("openapi")
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    try:
        with Producer(server.url), gateway_process(server.url, folder / "faces") as gateway, worker(server.url):
            until(gateway.ready, 60, "readiness")
            until(lambda: len(gateway.saved()) >= 3, 30, "saved faces")
            until(lambda: len(gateway.get("/api/v1/emotions").json()["emotions"]) > 5, 60, "the real worker")
            schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
            yield Stage(schema, gateway.url, {"name": "front"})
    finally:
        server.stop()


def worker(url: str) -> subprocess.Popen:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    return Ended([sys.executable, "-m", "inference_service"], env=environment | {"EMOTII_REDIS_URL": url})


class Ended(subprocess.Popen):
    """A process that ends with its context."""

    def __exit__(self, *_: object) -> None:
        self.terminate()
        self.wait(10)


@pytest.mark.parametrize(("method", "path"), operations())
def test_responses_match_the_document(stage: Stage, method: str, path: str):
    operation = stage.schema[path][method]
    described = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    otherwise = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    # This gateway has no tokens; test_access.py sends unauthorized requests to every route.
    excluded = [ignored_auth, *([positive_data_acceptance] if (method, path) in BY_MEANING else [])]

    @given(case=st.one_of(described, described.map(lambda case: among_known(case, stage)), otherwise))
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def check(case: Case) -> None:
        case.call_and_validate(timeout=20, excluded_checks=excluded)

    check()


def among_known(case: Case, stage: Stage) -> Case:
    """The case with the identifier of something that exists."""
    if "/faces/" in case.operation.path:
        face = httpx.get(f"{stage.url}/api/v1/faces?limit=1", timeout=20).json()["faces"][0]
        case.path_parameters |= {"emotion": face["emotion"], "name": face["name"]}
    elif "name" in (case.path_parameters or {}):
        case.path_parameters |= stage.known
    return case
