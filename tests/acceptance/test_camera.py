"""The page /camera of `emotii up` in a real Chromium, whose camera plays a real video."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import cv2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.acceptance.browser import TIMEOUT_MS, chromium, needs_chromium, opened
from tests.acceptance.conftest import EMOTII, Running, eventually, free_port
from tests.conftest import SHARED
from tests.stage import CLIP

pytestmark = needs_chromium
WIDTH, HEIGHT = 640, 480
FRAMES = 60
WORD, PERCENT, MILLISECONDS = re.compile(r"\w+"), re.compile(r"\d+%"), re.compile(r"\d+ ms")
LONG_MS = 90_000
"""A capture process loads its network first, which is slow on a busy machine."""


def video_of_faces() -> Path:
    """A real video of two people, or the demo clip if it is missing."""
    real = SHARED / "videos" / "two-people-head-pose.gif"
    return real if real.exists() else CLIP


@pytest.fixture(scope="module")
def fake_camera(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of a Chromium whose camera plays a video and whose pages need no permission."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    video = cv2.VideoCapture(str(video_of_faces()))
    with path.open("wb") as file:
        for _ in range(FRAMES):
            there, frame = video.read()
            if not there:
                break
            file.write(cv2.imencode(".jpg", cv2.resize(frame, (WIDTH, HEIGHT)))[1].tobytes())
    video.release()
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    ]


@pytest.fixture
def url(run: Callable[..., Running]) -> Iterator[str]:
    port = free_port()
    running = run(*EMOTII, "up", "--port", str(port), EMOTII_SOURCES="none")
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: f"running: {url}" in running.output or running.process.poll() is not None, 90, "URL")
    assert running.process.poll() is None, running.output
    yield url
    print(running.output)  # pytest shows it if the test fails
    assert "Traceback" not in running.output


def sources(url: str) -> dict[str, dict[str, object]]:
    with urlopen(f"{url}/api/v1/sources", timeout=10) as answer:
        return {source["name"]: source for source in json.load(answer)["sources"]}


def is_offline(url: str, name: str) -> bool:
    source = sources(url)[name]
    return (source["state"], source["reason"]) == ("OFFLINE", "the browser left")


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#state")).to_have_attribute("data-state", "connected", timeout=LONG_MS)


@pytest.mark.long
def test_a_browser_camera_is_analysed_until_its_page_closes(url: str, fake_camera: list[str]):
    with chromium(*fake_camera) as browser:
        with opened(browser, f"{url}/camera?name=tab") as page:
            start(page)
            expect(page.locator("#faces .face-emotion").first).to_have_text(WORD, timeout=TIMEOUT_MS)
            expect(page.locator("#faces .face-confidence").first).to_have_text(PERCENT)
            box = page.locator("#boxes .box").first.bounding_box()
            screen = page.locator("#screen").bounding_box()
            assert box["width"] > 0.03 * screen["width"]
            assert screen["x"] <= box["x"] <= screen["x"] + screen["width"]
            expect(page.locator("#latency")).to_have_text(MILLISECONDS)
            source = eventually(lambda: (status := sources(url)["tab"])["frames"] and status, 30, "a count of frames")
            assert (source["kind"], source["state"], source["address"]) == ("camera", "ONLINE", "browser")
            assert (source["width"], source["height"], source["removable"]) == (WIDTH, HEIGHT, False)

            with opened(browser, f"{url}/camera?name=tab") as other:
                other.get_by_role("button", name="Start the camera").click()
                expect(other.locator("#problem")).to_contain_text("another browser sends 'tab' now")
                expect(other.locator("#state")).to_have_text("off")
            frames = sources(url)["tab"]["frames"]
            eventually(lambda: sources(url)["tab"]["frames"] > frames, 30, "more frames of the first browser")
        eventually(lambda: is_offline(url, "tab"), 30, "OFFLINE once its page is closed")

        with opened(browser, f"{url}/camera?name=tab") as page:
            start(page)  # the name is still registered
            page.get_by_role("button", name="Stop the camera").click()
            expect(page.locator("#state")).to_have_text("off")
        eventually(lambda: "tab" not in sources(url), 90, "removal of the source")


def test_a_denied_camera_permission_is_explained(url: str, fake_camera: list[str]):
    refusing = [option for option in fake_camera if "fake-ui" not in option] + ["--deny-permission-prompts"]
    with chromium(*refusing) as browser, opened(browser, f"{url}/camera") as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#problem")).to_contain_text("This page may not use the camera")
        expect(page.locator("#state")).to_have_text("off")


def test_a_page_from_another_machine_explains_that_it_needs_https(run: Callable[..., Running], fake_camera: list[str]):
    port = free_port()
    run(*EMOTII, "serve", EMOTII_PORT=str(port), EMOTII_ALLOWED_HOSTS="elsewhere.example")
    with chromium(*fake_camera, "--host-resolver-rules=MAP elsewhere.example 127.0.0.1") as browser:
        eventually(lambda: not _refused(port), 60, "the gateway listens")
        with opened(browser, f"http://elsewhere.example:{port}/camera") as page:
            expect(page.locator("#problem")).to_contain_text("HTTPS")
            found = Axe().run(page).response["violations"]
            assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
            expect(page.get_by_role("button", name="Start the camera")).to_be_disabled()


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
