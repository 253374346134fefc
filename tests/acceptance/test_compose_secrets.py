"""`docker compose` with a password for Redis, tokens, secrets in files and HTTPS, as docs/access.md describes it."""

import json
import os
import secrets
import ssl
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect as websocket

from tests.acceptance.conftest import eventually, free_port

ROOT = Path(__file__).parents[2]
BUILT = ("capture", "inference", "gateway", "jobs")
TOKEN = secrets.token_hex(24)
SIGNED = {"Authorization": f"Bearer {TOKEN}"}
UNPROVEN = ssl._create_unverified_context()  # the authority is one that Caddy has just made
pytestmark = pytest.mark.timeout(1500)


class Protected:
    """The project with `deploy/docker-compose.secrets.yml` and the profile `tls`."""

    def __init__(self, folder: Path) -> None:
        self.port, self._http_port = free_port(), free_port()
        self._files = [ROOT / "docker-compose.yml", ROOT / "deploy" / "docker-compose.secrets.yml"]
        password = secrets.token_hex(24)
        users = (ROOT / "deploy" / "redis" / "users.acl").read_text()
        written = {
            "redis_users": users.replace("PASSWORD_SHA256", sha256(password.encode()).hexdigest()),
            "redis_url": f"redis://emotii:{password}@redis:6379/0\n",
            "tokens": f"operator:{TOKEN}\n",
        }
        for name, text in written.items():
            (folder / name).write_text(text)
        override = {
            "services": {name: {"build": {"network": "host"}} for name in BUILT},
            "secrets": {name: {"file": str(folder / name)} for name in written},
        }
        self._files.append(folder / "override.json")
        self._files[-1].write_text(json.dumps(override))
        self.password = password

    def __call__(self, *arguments: str) -> str:
        files = [part for file in self._files for part in ("-f", str(file))]
        done = subprocess.run(
            ["docker", "compose", "-p", "emotii-protected", *files, "--profile", "tls", *arguments],
            env=os.environ | {"EMOTII_PORT": str(self._http_port), "EMOTII_HTTPS_PORT": str(self.port)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def get(self, path: str, **more: dict[str, str]) -> httpx.Response:
        return httpx.get(f"https://localhost:{self.port}{path}", verify=UNPROVEN, timeout=20, **more)


@pytest.fixture(scope="module")
def protected(docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected]:
    protected = Protected(tmp_path_factory.mktemp("secrets"))
    protected("build")
    try:
        protected("up", "-d", "--wait")
        yield protected
    finally:
        protected("down", "-v", "--timeout", "20")


def test_over_https_every_response_requires_a_token(protected: Protected):
    eventually(lambda: answers(protected), 60, "Caddy")
    assert protected.get("/emotion").status_code == 401
    assert protected.get("/emotion", headers={"Authorization": "Bearer wrong-token-of-a-stranger"}).status_code == 401
    eventually(lambda: protected.get("/emotion", headers=SIGNED).json()["emotion"], 60, "an emotion of the demo")
    answer = protected.get("/", headers=SIGNED)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_events_come_through_the_proxy(protected: Protected):
    url = f"wss://localhost:{protected.port}/ws/emotions"
    with websocket(url, ssl=UNPROVEN, additional_headers=SIGNED) as socket:
        assert json.loads(socket.recv(timeout=30))["type"] == "hello"
        eventually(
            lambda: "reading" in {event["kind"] for event in json.loads(socket.recv(timeout=30))}, 60, "readings"
        )


def test_redis_requires_the_password_and_its_user_has_few_other_permissions(protected: Protected):
    assert "NOAUTH" in protected("exec", "-T", "redis", "redis-cli", "keys", "*")
    ours = ("exec", "-T", "-e", f"REDISCLI_AUTH={protected.password}", "redis", "redis-cli", "--user", "emotii")
    assert "NOPERM" in protected(*ours, "flushall")
    assert "NOPERM" in protected(*ours, "config", "get", "*")
    assert "emotii:sources" in protected(*ours, "--scan", "--pattern", "emotii:sources")


def test_no_secret_is_in_a_log_or_in_the_environment_of_a_container(protected: Protected):
    seen = protected("logs", "--no-color") + "".join(protected("exec", "-T", name, "env") for name in BUILT)
    assert "gateway" in seen
    assert protected.password not in seen
    assert TOKEN not in seen


def answers(protected: Protected) -> bool:
    try:
        return protected.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False
