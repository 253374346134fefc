"""Redis with the users of `deploy/redis/users.acl`: everything that Emotii does works, and nothing else does."""

import hashlib
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import redis

from contract import keys
from contract.messages import AddedSource
from contract.redis.broker import connect
from emotii.local.redis_server import PrivateServer
from tests.stage import CLIP, gateway_process, until

ACL = Path(__file__).parents[2] / "deploy" / "redis" / "users.acl"
PASSWORD = "a password with / and @ and :"
SERVICES = ("capture_service", "inference_service", "jobs_service")


@pytest.fixture
def url(any_server: PrivateServer, tmp_path: Path) -> str:
    """The URL for the user `emotii` of a server on which no other user has permissions."""
    path = any_server.url.removeprefix("unix://")
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    with redis.Redis.from_url(any_server.url) as admin:
        users = ACL.read_text().replace("PASSWORD_SHA256", digest).strip().splitlines()
        for line in reversed(users):  # `default`, which this connection is, comes last
            admin.execute_command("ACL", "SETUSER", *line.split()[1:])
    file = tmp_path / "redis-url"
    file.write_text(f"unix://emotii@{path}?password={quote(PASSWORD, safe='')}\n")
    return str(file)


@pytest.mark.long
def test_the_whole_pipeline_runs_as_a_redis_user_with_few_other_permissions(
    any_server: PrivateServer, url: str, tmp_path: Path
):
    secret = Path(url).read_text().strip()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    environment |= {"EMOTII_REDIS_URL_FILE": url, "EMOTII_SOURCES": "front=demo", "EMOTII_JOBS": str(tmp_path / "jobs")}
    logs = [tmp_path / f"{service}.log" for service in SERVICES]
    with ExitStack() as stack:
        for service, log in zip(SERVICES, logs, strict=True):
            output = stack.enter_context(log.open("wb"))
            process = subprocess.Popen([sys.executable, "-m", service], env=environment, stdout=output, stderr=output)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        gateway = stack.enter_context(
            gateway_process("", tmp_path / "faces", redis_url_file=url, jobs=str(tmp_path / "jobs"))
        )
        until(gateway.ready, 90, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], 60, "an emotion of the demo")
        until(lambda: gateway.get("/api/v1/sources/front/frame.jpg").status_code == 200, 30, "a picture of the demo")
        added = httpx.post(f"{gateway.url}/api/v1/sources", json={"name": "more", "address": str(CLIP)}, timeout=20)
        assert added.status_code == 201
        until(lambda: gateway.get("/api/v1/sources/more").json()["state"] == "ONLINE", 60, "the added source")
        assert httpx.delete(f"{gateway.url}/api/v1/sources/more", timeout=20).status_code == 204
        with CLIP.open("rb") as video:
            job = httpx.post(f"{gateway.url}/api/v1/jobs", files={"video": video}, timeout=30).json()["id"]
        until(lambda: gateway.get(f"/api/v1/jobs/{job}").json()["state"] == "done", 90, "the job")
        assert httpx.patch(f"{gateway.url}/api/v1/settings", json={"saving": False}, timeout=20).status_code == 200
        said = gateway.log.read_text() + "".join(log.read_text() for log in logs)
    assert "NOPERM" not in said
    assert "no permissions" not in said
    assert "Traceback" not in said
    assert secret not in said
    assert "password" not in said.lower()


def test_other_redis_users_have_no_permissions_and_emotii_has_no_administrative_ones(
    any_server: PrivateServer, url: str
):
    with redis.Redis.from_url(any_server.url) as stranger, pytest.raises(redis.exceptions.AuthenticationError):
        stranger.hgetall(keys.ADDED_SOURCES)
    clients = connect(Path(url).read_text().strip(), "test")
    client = clients.commands
    client.hset(keys.ADDED_SOURCES, "a", AddedSource(name="a", address="demo", added_ms=1).model_dump_json())
    for command in ("CONFIG GET *", "FLUSHALL", "FLUSHDB", "KEYS *", "ACL LIST", "SHUTDOWN", "MONITOR",
                    "REPLICAOF 192.0.2.1 1", "MODULE LIST", "SAVE", "SCRIPT FLUSH", "FUNCTION LIST", "CLIENT LIST",
                    "GET other", "SET other 1", "HGETALL other:desired", "PUBLISH other x", "SUBSCRIBE other", "SORT x",
                    "MIGRATE 192.0.2.1 1 emotii:desired 0 1"):  # fmt: skip
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())
    with pytest.raises(redis.exceptions.ResponseError):
        client.eval("return redis.call('get', 'other')", 0)
    clients.close()
