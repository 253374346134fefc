"""The page in a real browser, with a real gateway and server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from emotii.server import PrivateServer
from tests.stage import SAD, GatewayProcess, Producer, gateway_process, until

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium at /usr/bin/chromium (Debian's package)")


@pytest.fixture
def producer(server: PrivateServer) -> Iterator[Producer]:
    with Producer(server.url) as producer:
        yield producer


@pytest.fixture
def gateway(server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 30, "readiness")
        yield gateway


@pytest.fixture
def page(gateway: GatewayProcess) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.append(line.text) if "Content Security" in line.text else None)
        page.goto(gateway.url)
        yield page
        assert page.complaints == []
        browser.close()


def wait_for_state(page: Page, state: str, text: str = "") -> None:
    pill = page.locator("#connection")
    expect(pill).to_have_attribute("data-state", state, timeout=PATIENCE_MS)
    expect(pill).to_contain_text(text, timeout=PATIENCE_MS)


def test_the_page_shows_video_faces_and_how_things_stand(page: Page, producer: Producer):
    wait_for_state(page, "connected")
    expect(page.locator("#video")).to_have_js_property("naturalWidth", 640, timeout=PATIENCE_MS)
    expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    happy = page.locator(".face", has_text="face 1")
    expect(happy.locator(".face-emotion")).to_have_text("happy")
    expect(happy.get_by_role("meter")).to_have_count(5)
    expect(happy.get_by_role("meter", name="happy")).to_have_attribute("aria-valuenow", "95")
    expect(page.get_by_text("Emotion analysis is running")).to_be_visible()
    expect(page.locator("#saving")).to_have_attribute("data-state", "on")
    expect(page.locator("#workers")).to_have_text("1")
    expect(page.locator("#age")).to_contain_text("ms")

    producer.faces.shown = {7: ((200.0, 80.0, 100.0, 120.0), SAD)}
    expect(page.locator(".face")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator(".face-emotion")).to_have_text("sad")
    producer.faces.shown = {}
    expect(page.get_by_text("No face in view")).to_be_visible(timeout=PATIENCE_MS)


def test_the_page_says_when_redis_is_away_and_comes_back_with_it(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    server.kill()
    wait_for_state(page, "stale", "Redis")
    expect(page.locator(".face")).to_have_count(0, timeout=PATIENCE_MS)
    server.start()
    wait_for_state(page, "connected")
    expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)


def test_the_page_comes_back_when_the_gateway_does(
    page: Page, gateway: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    wait_for_state(page, "connected")
    gateway.process.kill()
    wait_for_state(page, "reconnecting")
    with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
        wait_for_state(page, "connected")
        expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
        expect(page.locator("#video")).to_have_js_property("naturalWidth", 640, timeout=PATIENCE_MS)


def test_another_source_can_be_chosen_and_says_that_it_is_offline(page: Page, server: PrivateServer):
    with Producer(server.url, "door", order=1, answers_uploads=False) as door:
        door.state, door.reason = "OFFLINE", "unplugged"
        page.get_by_label("Source").select_option("door")
        wait_for_state(page, "stale", "door is offline")
        expect(page.locator("#source-state")).to_contain_text("unplugged")
        expect(page.locator(".face")).to_have_count(0)
        page.get_by_label("Source").select_option("front")
        wait_for_state(page, "connected")


def test_a_click_saves_the_face(page: Page, gateway: GatewayProcess):
    wait_for_state(page, "connected")
    expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Save face now").click()
    expect(page.locator("#saved")).to_contain_text("Saved happy/happy_", timeout=PATIENCE_MS)
    assert (gateway.folder / page.locator("#saved").inner_text().removeprefix("Saved ")).exists()
