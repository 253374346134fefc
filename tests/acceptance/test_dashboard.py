"""The page in a real browser, with a real gateway and server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from contract import keys
from contract.broker import connect
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


def test_a_source_whose_capture_stopped_says_so_and_the_next_one_is_shown_when_it_is_gone(
    page: Page, producer: Producer, server: PrivateServer
):
    wait_for_state(page, "connected")
    producer.state, producer.reason = "OFFLINE", "stopped"
    wait_for_state(page, "stale", "front is offline")
    expect(page.locator("#source-state")).to_contain_text("stopped")
    expect(page.locator(".face")).to_have_count(0, timeout=PATIENCE_MS)
    with Producer(server.url, "door", order=1):
        producer.stop()
        with connect(server.url, "test").commands as client:
            client.hdel(keys.SOURCES, "front")
        wait_for_state(page, "connected")
        expect(page.locator("#source-state")).to_contain_text("door · online")
        expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)


def test_a_capture_that_died_without_a_word_is_stale(page: Page, producer: Producer, server: PrivateServer):
    wait_for_state(page, "connected")
    with Producer(server.url, "door", order=1):  # so that a worker is still there
        producer.stop()
        wait_for_state(page, "stale", "front is offline")
        expect(page.locator("#source-state")).to_contain_text("gone or stuck")


def test_a_backlog_that_stands_is_shown_with_what_would_help(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    expect(page.locator("#backlog")).to_have_text("0")
    expect(page.locator("#backlog-hint")).to_be_hidden()
    with connect(server.url, "test").commands as client:
        for _ in range(42):
            client.xadd(keys.crops("front"), {"a": "b"})
        expect(page.locator("#backlog")).to_have_text("42", timeout=PATIENCE_MS)
        expect(page.locator("#backlog-hint")).to_be_visible(timeout=PATIENCE_MS)
        client.delete(keys.crops("front"))
        expect(page.locator("#backlog-hint")).to_be_hidden(timeout=PATIENCE_MS)


def test_a_click_saves_the_face(page: Page, gateway: GatewayProcess):
    wait_for_state(page, "connected")
    expect(page.locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Save face now").click()
    expect(page.locator("#saved")).to_contain_text("Saved happy/happy_", timeout=PATIENCE_MS)
    assert (gateway.folder / page.locator("#saved").inner_text().removeprefix("Saved ")).exists()
