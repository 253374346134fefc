"""Servers that Emotii cannot work with are named, with what to do: by `emotii doctor`, `up` and every service."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from contract.errors import SettingsError
from contract.redis.broker import connect
from contract.redis.server_check import check_server, find_problem, foreign_keys, try_server
from emotii.commands.doctor import examine
from emotii.local.redis_server import PrivateServer
from tests.stage import free_port, until


def sentinel(folder: Path, port: int) -> list[str]:
    configuration = folder / "sentinel.conf"
    configuration.write_text(f"port {port}\nsentinel monitor main 127.0.0.1 {port} 1\n")
    return [str(configuration), "--sentinel"]


def cluster(_folder: Path, port: int) -> list[str]:
    return ["--port", str(port), "--cluster-enabled", "yes", "--cluster-port", str(free_port())]


def replica(_folder: Path, port: int) -> list[str]:
    return ["--port", str(port), "--replicaof", "127.0.0.1", "9"]


def evicting(_folder: Path, port: int) -> list[str]:
    return ["--port", str(port), "--maxmemory-policy", "allkeys-lru"]


def evicting_what_expires(_folder: Path, port: int) -> list[str]:
    return ["--port", str(port), "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"]


Mode = Callable[[Path, int], list[str]]
MODES: dict[Mode, tuple[str, str]] = {
    sentinel: ("it is a Sentinel", "name the primary server"),
    cluster: ("it is a node of a cluster", "use a server without cluster-enabled"),
    replica: ("it is a replica, which keeps no writes, of 127.0.0.1:9", "name that server: 127.0.0.1:9"),
    evicting: ("maxmemory-policy allkeys-lru", "config set maxmemory-policy noeviction"),
    evicting_what_expires: ("maxmemory-policy volatile-ttl", "config set maxmemory-policy noeviction"),
}


@contextmanager
def running(program: Path, mode: Mode, folder: Path) -> Iterator[str]:
    """The URL of a server in this mode."""
    port = free_port()
    command = [str(program), *mode(folder, port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: _responds(port), 30, "a reply")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def _responds(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_cannot_serve_is_named_with_what_to_do(
    any_program: Path, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fact, remedy = MODES[mode]
    with running(any_program, mode, tmp_path) as url:
        with pytest.raises(SettingsError) as refused:
            check_server(url)
        assert fact in str(refused.value)
        assert remedy in str(refused.value)
        monkeypatch.setenv("EMOTII_REDIS_URL", url)
        found = next(finding for finding in examine() if finding.subject == "Redis")
    assert (found.verdict, fact in found.fact, remedy in found.remedy) == ("missing", True, True), found


@pytest.mark.long
def test_every_process_ends_with_one_line_and_no_traceback(any_program: Path, tmp_path: Path):
    commands = [
        ["emotii", "up", "--source", "demo=demo"],
        ["capture_service"],
        ["inference_service"],
        ["api_gateway"],
        ["jobs_service"],
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    for command, (mode, (fact, remedy)) in zip(commands, MODES.items(), strict=True):
        folder = tmp_path / command[0]
        folder.mkdir()
        with running(any_program, mode, folder) as url:
            environment = kept | {"EMOTII_REDIS_URL": url, "EMOTII_PORT": str(free_port())}
            arguments = [sys.executable, "-m", *command]
            ended = subprocess.run(
                arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=90, check=False
            )
        assert ended.returncode == 2, ended
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
        assert fact in ended.stderr
        assert remedy in ended.stderr
        assert not (folder / ".emotii").exists()


def test_a_server_that_can_serve_is_tried_and_nothing_stays(any_server: PrivateServer):
    check_server(any_server.url)
    clients = connect(any_server.url, "test")
    assert find_problem(clients.commands) is None
    assert try_server(clients.commands) is None
    assert clients.commands.keys() == []
    clients.commands.set("emotii:sources", "x")
    assert foreign_keys(clients.commands) == ["emotii:sources is a string, not a hash"]
    clients.close()


def test_a_server_that_is_not_there_yet_is_no_error():
    check_server(f"redis://127.0.0.1:{free_port()}/0")
