"""The first picture after a start, on a machine that is busy with other work."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import matplotlib
import pytest

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.acceptance.conftest import Running, eventually
from tests.stage import gateway_process

TIMEOUT_SECONDS = 1
"""The detector takes longer to load here, and a picture takes less."""


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_first_picture_after_a_start_is_answered_on_a_busy_machine(
    run: Callable[..., Running], server: PrivateServer, clients: Clients, tmp_path: Path
):
    portrait = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg").read_bytes()
    run(sys.executable, "-m", "capture_service", EMOTII_REDIS_URL=server.url, EMOTII_SOURCES="none")
    run(sys.executable, "-m", "inference_service", EMOTII_REDIS_URL=server.url)
    faces = tmp_path / "faces"
    with gateway_process(server.url, faces, predict_timeout=f"{TIMEOUT_SECONDS}s") as gateway:
        eventually(lambda: clients.commands.hlen(keys.WORKERS), 90, "a worker")
        eventually(lambda: _takes_pictures(gateway.url), 90, "the gateway sees both")
        busy = [
            subprocess.Popen(["nice", "-n", "5", sys.executable, "-c", "while True: pass"])
            for _ in range(3 * (os.cpu_count() or 1))
        ]
        try:
            url = f"{gateway.url}/api/v1/predict"
            answer = httpx.post(url, content=portrait, headers={"content-type": "image/jpeg"}, timeout=90)
        finally:
            for process in busy:
                process.kill()
                process.wait()
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["faces"]) == 1


def _takes_pictures(url: str) -> bool:
    try:
        found = {one["name"]: one["state"] for one in httpx.get(f"{url}/api/v1/sources", timeout=20).json()["sources"]}
    except httpx.HTTPError:
        return False
    return found.get(keys.UPLOADS) == "ONLINE"
