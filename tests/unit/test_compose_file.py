"""What docker-compose.yml hands on to the services: every setting that makes sense in a container."""

import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from inference_service.settings import InferenceSettings
from jobs_service.settings import JobsSettings

SERVICES = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
OF_THE_IMAGE = {"metrics_port", "port", "engine"}
WITHOUT_A_FILE = {"sources_file"}
OF_JOBS = {"job_backlog_limit"}


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("capture", CaptureSettings),
        ("inference", InferenceSettings),
        ("gateway", GatewaySettings),
        ("jobs", JobsSettings),
    ],
)
def test_every_setting_of_a_service_can_be_made_in_the_file_of_settings(service: str, settings: type[BaseSettings]):
    left_out = OF_THE_IMAGE | WITHOUT_A_FILE | (OF_JOBS if service == "capture" else set())
    wanted = {f"EMOTII_{name.upper()}" for name in settings.model_fields if name not in left_out}
    assert wanted - set(SERVICES[service]["environment"]) == set()


def test_every_service_knows_where_redis_is():
    for service in ("capture", "capture-webcam", "inference", "gateway", "jobs"):
        assert "EMOTII_REDIS_URL" in SERVICES[service]["environment"]


def test_the_images_are_built_from_every_package_of_the_wheel():
    root = Path(__file__).parents[2]
    packages = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    assert "api_gateway" in packages
    copied = {line.split()[1] for line in (root / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")}
    context = (root / ".dockerignore").read_text().split()
    assert set(packages) - copied == set()
    assert {f"!{package}" for package in packages} - set(context) == set()


def test_every_container_has_a_limit_of_memory_and_the_limit_of_a_decoder_is_below_it():
    limits = {name: service.get("mem_limit") for name, service in SERVICES.items()}
    assert None not in limits.values(), limits
    decoder = CaptureSettings.model_fields["process_memory_mb"].default << 20
    assert decoder < min(int(limits[name].removesuffix("g")) for name in ("capture", "capture-webcam", "jobs")) << 30
