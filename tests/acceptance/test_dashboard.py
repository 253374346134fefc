"""The section Live of the dashboard in a real browser, with a real gateway and Redis server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from contract import keys
from contract.redis.broker import connect
from emotii.local.redis_server import PrivateServer
from tests.acceptance.browser import TIMEOUT_MS, needs_chromium, opened, wait_for_state, wait_for_video
from tests.stage import HAPPY, SAD, UNSURE, GatewayProcess, Producer, gateway_process, until
from tests.system import System

OTHER_CLASSES = ("calm", "bored", "tired", "awake", "puzzled", "amused", "proud", "shy", "moved", "keen", "curious")
pytestmark = [needs_chromium, pytest.mark.timeout(600)]


@pytest.fixture
def gateway(system: System) -> GatewayProcess:
    return system.gateway


@pytest.fixture
def page(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    with opened(browser, gateway.url) as page:
        yield page


def tile(page: Page, source: str = "front"):
    return page.locator(f".tile[data-source='{source}']")


def pixels_of_lane(page: Page) -> str:
    """The pixels of the first lane of the timeline."""
    return str(page.evaluate("document.querySelector('.lane canvas').toDataURL()"))


def test_a_tile_shows_video_boxes_faces_and_metrics(page: Page, producer: Producer):
    wait_for_state(page, "connected")
    wait_for_video(page, "front")
    expect(tile(page).locator(".face")).to_have_count(2)
    happy = tile(page).locator(".face", has_text="face 1")
    expect(happy.locator(".face-emotion")).to_have_text("happy")
    expect(happy.get_by_role("meter")).to_have_count(5)
    expect(happy.get_by_role("meter", name="happy")).to_have_attribute("aria-valuenow", "95")
    expect(tile(page).locator(".box-label")).to_have_text(["happy 95%", "sad 90%"])
    expect(tile(page).locator("[data-part=latency]")).to_contain_text("ms")
    expect(tile(page).locator("[data-part=skipped]")).to_have_text("0")
    expect(page.get_by_text("Emotion analysis is running")).to_be_visible()
    expect(tile(page).get_by_text("Camera on")).to_be_visible()
    expect(page.locator("#saving")).to_have_attribute("aria-checked", "true")
    expect(page.locator("#workers")).to_have_text("1")
    expect(page.locator("#model")).to_have_text("test@1.0.0")


def test_boxes_match_the_faces_at_every_size_of_the_video(page: Page):
    wait_for_video(page, "front")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        expect(tile(page).locator(".box")).to_have_count(2)
        screen = tile(page).locator(".screen").bounding_box()
        box = tile(page).locator(".box").first.bounding_box()
        scale = screen["width"] / 640
        assert abs(box["x"] - screen["x"] - 220 * scale) < 2
        assert abs(box["width"] - 120 * scale) < 2


def test_faces_appear_change_and_disappear(page: Page, producer: Producer):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    producer.faces.shown = {7: ((200.0, 80.0, 100.0, 120.0), SAD)}
    expect(tile(page).locator(".face")).to_have_count(1, timeout=TIMEOUT_MS)
    expect(tile(page).locator(".face-emotion")).to_have_text("sad")
    producer.faces.shown = {7: ((200.0, 80.0, 100.0, 120.0), UNSURE)}
    expect(tile(page).locator(".face-emotion")).to_have_text("uncertain", timeout=TIMEOUT_MS)
    expect(tile(page).locator(".face-between")).to_have_text("fear or surprise?")
    expect(tile(page).locator(".box-label")).to_have_text("fear or surprise?")
    producer.faces.shown = {}
    expect(page.get_by_text("No face in view")).to_be_visible(timeout=TIMEOUT_MS)
    expect(tile(page).locator(".box")).to_have_count(0)


@pytest.mark.alone
def test_the_timeline_moves_and_lists_its_episodes_as_text(page: Page, producer: Producer):
    expect(tile(page).locator(".lane")).to_have_count(2, timeout=TIMEOUT_MS)
    expect(tile(page).locator(".legend li")).to_have_text(["angry", "fear", "happy", "sad", "surprise"])
    before = pixels_of_lane(page)
    until(lambda: pixels_of_lane(page) != before, 60, "another drawing of the timeline")
    producer.faces.shown = {1: ((220.0, 100.0, 120.0, 140.0), SAD)}
    tile(page).get_by_text("Episode list").click()
    expect(tile(page).locator(".episode-list")).to_contain_text("face 1, sad for", timeout=TIMEOUT_MS)
    expect(tile(page).locator(".episode-list")).to_contain_text("face 1, happy for")


def test_a_page_that_is_opened_later_shows_the_stored_history_in_its_timeline(
    browser: Browser, gateway: GatewayProcess, page: Page
):
    wait_for_state(page, "connected")
    until(lambda: gateway.get("/api/v1/episodes").json().get("items"), 60, "an episode in the history")
    with opened(browser, gateway.url) as later:
        wait_for_state(later, "connected")
        later.wait_for_function("() => document.querySelectorAll('.episode-list li').length >= 2")


def test_the_page_shows_the_labels_of_a_model_with_other_classes(page: Page, producer: Producer):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    share = tuple([0.9] + [0.1 / (len(OTHER_CLASSES) - 1)] * (len(OTHER_CLASSES) - 1))
    producer.faces.shown = {9: ((220.0, 100.0, 120.0, 140.0), share)}
    producer.labels = OTHER_CLASSES
    calm = tile(page).locator(".face", has_text="face 9")
    expect(calm.locator(".face-emotion")).to_have_text("calm", timeout=TIMEOUT_MS)
    expect(calm.get_by_role("meter")).to_have_count(len(OTHER_CLASSES))
    styles = calm.locator(".bar-row").evaluate_all("(rows) => rows.map((row) => row.className)")
    assert len(set(styles)) == len(OTHER_CLASSES)  # each label has its own colour or texture
    expect(page.locator("#view-live")).not_to_contain_text("undefined")


@pytest.mark.alone
def test_the_page_shows_that_redis_is_unreachable_and_recovers_with_it(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    server.kill()
    wait_for_state(page, "stale", "Redis")
    expect(tile(page).locator(".video-message")).to_contain_text("Redis")
    expect(tile(page).locator(".face")).to_have_count(0, timeout=TIMEOUT_MS)
    server.start()
    wait_for_state(page, "connected")
    expect(tile(page).locator(".video-message")).to_be_hidden(timeout=TIMEOUT_MS)
    expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    wait_for_video(page, "front")


@pytest.mark.alone
def test_the_page_reconnects_when_the_gateway_returns(
    page: Page, gateway: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    wait_for_state(page, "connected")
    wait_for_video(page, "front")
    gateway.process.kill()
    wait_for_state(page, "reconnecting")
    expect(tile(page).locator(".video-message")).to_contain_text("cannot reach the gateway")
    with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
        wait_for_state(page, "connected")
        expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
        wait_for_video(page, "front")


def test_each_source_has_a_tile_and_an_offline_source_shows_the_reason(page: Page, server: PrivateServer):
    with Producer(server.url, "door", order=1, answers_uploads=False) as door:
        wait_for_video(page, "door")
        wait_for_video(page, "front")
        door.state, door.reason = "OFFLINE", "unplugged"
        wait_for_state(page, "degraded", "door is offline")
        expect(tile(page, "door").get_by_text("Camera on")).to_be_hidden()
        expect(tile(page, "door").locator(".video-message")).to_have_text("offline: unplugged")
        expect(tile(page, "door").locator(".face")).to_have_count(0, timeout=TIMEOUT_MS)
        expect(tile(page, "front").locator(".video-message")).to_be_hidden()
        expect(tile(page, "front").locator(".face")).to_have_count(2)


def test_a_source_that_plays_a_file_is_no_camera(page: Page, producer: Producer):
    expect(tile(page).get_by_text("Camera on")).to_be_visible(timeout=TIMEOUT_MS)
    for address in ("demo", "/videos/door.mp4"):
        producer.address = address
        producer.reason = address  # any change sends the state
        expect(tile(page).get_by_text("Camera on")).to_be_hidden(timeout=TIMEOUT_MS)
        producer.restore()
        expect(tile(page).get_by_text("Camera on")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_source_that_is_too_slow_says_so(page: Page, producer: Producer, gateway: GatewayProcess):
    wait_for_state(page, "connected")
    producer.warning = "capture is too slow: 0.5 of 25 frames/s"
    wait_for_state(page, "degraded", "front is too slow")
    expect(tile(page).locator("[data-part=state]")).to_have_text(producer.warning)
    assert gateway.get("/api/v1/sources/front").json()["warning"] == producer.warning
    producer.warning = ""
    wait_for_state(page, "connected")
    expect(tile(page).locator("[data-part=state]")).to_have_text("online")


def test_a_face_with_a_box_and_without_a_result_counts_as_in_view(page: Page, producer: Producer):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    producer.unread = True
    expect(tile(page).get_by_text("2 faces in view, no result yet")).to_be_visible(timeout=TIMEOUT_MS)
    expect(tile(page).locator(".box")).to_have_count(2)
    producer.faces.shown = {}
    expect(tile(page).get_by_text("No face in view")).to_be_visible(timeout=TIMEOUT_MS)
    producer.state, producer.reason = "OFFLINE", "unplugged"
    expect(tile(page).get_by_text("No live video")).to_be_visible(timeout=TIMEOUT_MS)


@pytest.mark.alone
def test_a_source_that_is_no_longer_registered_has_no_tile(page: Page, producer: Producer, server: PrivateServer):
    wait_for_state(page, "connected")
    with Producer(server.url, "door", order=1):
        expect(tile(page, "door")).to_be_visible(timeout=TIMEOUT_MS)
        producer.stop()
        with connect(server.url, "test").commands as client:
            client.hdel(keys.SOURCES, "front")
        expect(tile(page, "front")).to_have_count(0, timeout=TIMEOUT_MS)
        expect(tile(page, "door").locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)


@pytest.mark.alone
def test_a_source_whose_capture_process_dies_silently_is_stale(page: Page, producer: Producer, server: PrivateServer):
    wait_for_state(page, "connected")
    with Producer(server.url, "door", order=1):  # keeps a worker registered
        producer.stop()
        wait_for_state(page, "degraded", "front is offline")
        expect(tile(page).locator(".video-message")).to_contain_text("gone or stuck")


def test_a_persistent_backlog_is_shown_with_a_hint(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    expect(page.locator("#backlog")).to_have_text("0")
    expect(page.locator("#backlog-hint")).to_be_hidden()
    with connect(server.url, "test").commands as client:
        for _ in range(42):
            client.xadd(keys.crops("front"), {"a": "b"})
        expect(page.locator("#backlog")).to_have_text("42", timeout=TIMEOUT_MS)
        expect(page.locator("#backlog-hint")).to_contain_text("Add a worker", timeout=TIMEOUT_MS)
        client.delete(keys.crops("front"))
        expect(page.locator("#backlog-hint")).to_be_hidden(timeout=TIMEOUT_MS)


def test_a_click_saves_the_face(page: Page, gateway: GatewayProcess):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Save face now").click()
    status = tile(page).locator("[data-part=status]")
    expect(status).to_contain_text("Saved happy/happy_", timeout=TIMEOUT_MS)
    assert (gateway.folder / status.inner_text().removeprefix("Saved ")).exists()


def test_a_second_tab_causes_no_second_encoding(browser: Browser, page: Page, gateway: GatewayProcess):
    """Blurred, because the gateway sends visible faces as the capture encoded them, without encoding anything."""
    page.get_by_label("Faces in the video").select_option("blur")
    wait_for_video(page, "front")
    page.evaluate(
        """async () => {
            const { Emotii } = await import("/static/emotii.js");
            new Emotii("/ws/emotions", { kinds: ["stats"] }).addEventListener("stats", ({ detail }) => {
              const { encodes, fps } = detail.sources.front;
              window.encodes = encodes; window.most = Math.max(window.most ?? 0, encodes / Math.max(1, fps));
            });
        }"""
    )
    page.wait_for_function("() => window.encodes > 5")
    with opened(browser, gateway.url) as second:
        wait_for_video(second, "front")
        page.evaluate("window.most = 0; window.since = performance.now()")
        page.wait_for_function("() => performance.now() - window.since > 4000")
        assert page.evaluate("window.most") < 1.6, "each frame is encoded once for all viewers"
        assert second.evaluate("document.querySelector('.tile canvas').width") == 640


@pytest.mark.alone
def test_blur_and_saving_apply_to_all_gateways_and_survive_a_restart(
    page: Page, gateway: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    wait_for_state(page, "connected")
    page.get_by_label("Faces in the video").select_option("mask")
    page.get_by_role("switch", name="Save faces").click()
    expect(page.get_by_role("switch", name="Save faces")).to_have_attribute("aria-checked", "false")
    until(lambda: gateway.get("/api/v1/settings").json() == {"saving": False, "blur": "mask"}, 60, "the settings")
    wait_for_video(page, "front")
    colour = "() => [...document.querySelector('.tile canvas').getContext('2d').getImageData(280, 170, 1, 1).data]"
    until(lambda: max(page.evaluate(colour)[:3]) - min(page.evaluate(colour)[:3]) < 30, 60, "a masked face")
    masked = page.evaluate(colour)
    assert all(abs(one - other) < 12 for one, other in zip(masked[:3], (62, 66, 74), strict=True))
    gateway.process.kill()
    with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
        wait_for_state(page, "connected")
        expect(page.get_by_label("Faces in the video")).to_have_value("mask")
        expect(page.get_by_role("switch", name="Save faces")).to_have_attribute("aria-checked", "false")


def test_a_label_stays_with_its_box(page: Page, producer: Producer):
    wait_for_video(page, "front")
    left, right = (60.0, 100.0, 100.0, 120.0), (440.0, 100.0, 100.0, 120.0)
    producer.faces.shown = {11: (left, HAPPY), 12: (right, SAD)}
    page.wait_for_function(
        "() => [...document.querySelectorAll('.box')].some((box) => parseFloat(box.style.left) > 60)"
    )
    expect(tile(page).locator(".box-label")).to_have_text(["happy 95%", "sad 90%"], timeout=TIMEOUT_MS)
    wrong = page.evaluate(
        """() => new Promise((done) => {
            let frames = 0, wrong = 0;
            const check = () => {
              for (const box of document.querySelectorAll('.box')) {
                const label = box.textContent, left = parseFloat(box.style.left) < 50;
                if (label && label.startsWith('happy') !== left) wrong += 1;
              }
              if (++frames < 120) requestAnimationFrame(check); else done(wrong);
            };
            check();
        })"""
    )
    assert wrong == 0
