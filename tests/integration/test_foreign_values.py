"""Anything may lie under any key of Redis, and is read again after each start: no service ends, and all go on after it.

All services run together. For each kind of value, the test writes it under every key that the services read.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from redis.client import Pipeline

from contract import keys
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, gateway_process, until
from tests.system import private_server

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

HASHES = (
    keys.SOURCES,
    keys.WORKERS,
    keys.ADDED_SOURCES,
    keys.SETTINGS,
    keys.JOBS,
    keys.GATEWAYS,
    keys.ERASURES,
    keys.ERASED,
)
STREAMS = tuple(
    key(source) for source in ("cam", keys.UPLOADS) for key in (keys.crops, keys.results, keys.dead, keys.inbox)
)
OTHERS = (
    keys.JOBS_RUNNER,
    *(key(source) for source in ("cam", keys.UPLOADS) for key in (keys.quarantined, keys.snapshot, keys.erasing)),
    *map(keys.lease, ("capture-cam", f"capture-{keys.UPLOADS}", "saving", "history", "steady", "job-0123456789ab")),
)
ID = "0123456789ab"
DIGITS = b"7" * 5000
LAST_ID = "18446744073709551615-18446744073709551615"


LINES = (
    b'{"v":1,"name":"cam","kind":"camera","state":"ONLINE","order":%b,"since_ms":%b,"seen_ms":%b,"fps":%b}',
    b'{"v":1,"consumer":"w","engine":"e","model":"m@1","labels":["a"],"seen_ms":%b,"crops":%b,"pid":%b,"metrics_port":%b}',
    b'{"v":1,"name":"added","address":"demo","added_ms":%b,"fps":%b,"x":[%b,%b]}',
    b'{"v":1,"id":"0123456789ab","name":"a","created_ms":%b,"changed_ms":%b,"frames":%b,"progress":%b}',
    b'{"v":1,"id":"0123456789ab","to_ms":%b,"from_ms":%b,"asked_ms":%b,"x":%b}',
    b'{"v":1,"done":true,"erased":{"jobs":%b,"entries":%b,"faces":%b,"records":%b}}',
)  # fmt: skip
"""JSON of every message, with places for four numbers."""


CONTENTS = (
    b"",
    b"\xff\xfe",
    b"null",
    b"{",
    DIGITS,
    b"-1",
    b"1e400",
    b"NaN",
    b'"' + b"a" * 2_000_000 + b'"',
    b"[" * 200_000,
    *(line % ((value,) * 4) for value in (b"0", b"-1", b"1" + b"0" * 17, DIGITS, b"1e300", b"NaN") for line in LINES),
)
FIELDS = (b"cam", ID.encode(), b"saving", b"blur", f"{ID}/gateway".encode(), b"\xff", b"", b"a/../b", b"9" * 5000)


Writer = Callable[[Pipeline, str], object]


def as_string(to: Pipeline, key: str) -> None:
    to.set(key, DIGITS)


def as_list(to: Pipeline, key: str) -> None:
    to.rpush(key, DIGITS)


def as_set(to: Pipeline, key: str) -> None:
    to.sadd(key, DIGITS)


def as_sorted_set(to: Pipeline, key: str) -> None:
    to.zadd(key, {DIGITS: 1.0})


def as_hash(to: Pipeline, key: str) -> None:
    """A hash of everything that is malformed, each under every name."""
    for number, value in enumerate(CONTENTS):
        for field in FIELDS:
            to.hset(key, field if number % 2 else field + b"%d" % number, value)


def as_hash_of(content: bytes) -> Writer:
    def write(to: Pipeline, key: str) -> None:
        to.hset(key, mapping=dict.fromkeys(FIELDS, content))

    return write


def as_stream(to: Pipeline, key: str) -> None:
    fields = {b"v": b"1", b"kind": b"reading", b"source": b"cam", b"epoch": b"e", b"frame": DIGITS, b"labels": DIGITS}
    to.xadd(key, fields)
    to.xadd(key, {DIGITS: DIGITS})


def as_stream_at_its_end(to: Pipeline, key: str) -> None:
    to.xadd(key, {b"a": b"b"}, id=LAST_ID)


VALUES: dict[str, Writer] = {
    "a string": as_string,
    "a list": as_list,
    "a set": as_set,
    "a sorted set": as_sorted_set,
    "a hash": as_hash,
    "a hash of 5,000 digits": as_hash_of(DIGITS),
    "a stream": as_stream,
    "a stream that can take no more": as_stream_at_its_end,
}


@dataclass
class Services:
    """All services, with a server of their own."""

    server: PrivateServer
    gateway: GatewayProcess
    others: dict[str, tuple[subprocess.Popen[bytes], Path]]

    def check(self) -> None:
        """No service has ended, and none has logged a traceback."""
        logs = {name: log for name, (_, log) in self.others.items()} | {"gateway": self.gateway.log}
        running = {name: process for name, (process, _) in self.others.items()} | {"gateway": self.gateway.process}
        for name, process in running.items():
            text = logs[name].read_text()
            assert process.poll() is None, f"{name} has ended:\n{text[-3000:]}"
            assert "Traceback" not in text, f"{name}:\n{text[text.index('Traceback') - 500 :][:4000]}"
            assert "777777" not in text, f"{name} logged what it read"
            assert "starts again" not in text, f"{name} started a process again:\n{text[-3000:]}"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("foreign")
    with ExitStack() as stack:
        server = stack.enter_context(private_server(folder))
        gateway = stack.enter_context(gateway_process(server.url, folder / "faces"))
        others = {}
        settings = {
            "EMOTII_REDIS_URL": server.url,
            "EMOTII_SOURCES": "cam=demo",
            "EMOTII_JOBS": str(folder / "jobs"),
            "EMOTII_METRICS_PORT": "0",
        }
        for name, module in {
            "capture": "capture_service",
            "worker": "tests.obedient_worker",
            "jobs": "jobs_service",
        }.items():
            log = folder / f"{name}.log"
            output = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", module], env=_environment() | settings, stdout=output, stderr=output
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            others[name] = process, log
        yield Services(server, gateway, others)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}


def _is_well(services: Services) -> bool:
    listed = services.gateway.get("/api/v1/sources").json().get("sources", [])
    online = {one["name"] for one in listed if one["state"] == "ONLINE"}
    return online == {"cam", keys.UPLOADS} and services.gateway.get("/readyz").status_code == 200


@pytest.mark.parametrize("kind", VALUES)
def test_no_service_ends_whatever_its_keys_hold_and_all_go_on_afterwards(services: Services, kind: str):
    with redis.Redis.from_url(services.server.url) as client:
        client.delete(*HASHES, *STREAMS, *OTHERS)
        until(services.gateway.alive, 60, "the gateway")
        until(lambda: _is_well(services), 60, "captured, and ready")
        for key in (*HASHES, *STREAMS, *OTHERS):
            together = client.pipeline(transaction=True)  # the services write some of these keys all the time
            together.delete(key)
            VALUES[kind](together, key)
            together.execute()
        before = client.info("commandstats")["cmdstat_hgetall"]["calls"]
        until(lambda: client.info("commandstats")["cmdstat_hgetall"]["calls"] > before + 40, 60, "that it was read")
        services.check()
        assert services.gateway.alive()
        client.delete(*HASHES, *STREAMS, *OTHERS)
        until(lambda: _is_well(services), 60, f"all is well after {kind}")
        services.check()
