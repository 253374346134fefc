"""The section Live of the page in a real browser, with a real gateway and server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from contract import keys
from contract.redis.broker import connect
from emotii.local.redis_server import PrivateServer
from tests.acceptance.browser import PATIENCE_MS, needs_chromium, opened, wait_for_state, wait_for_video
from tests.stage import HAPPY, SAD, UNSURE, GatewayProcess, Producer, gateway_process, until

OTHER_CLASSES = ("calm", "bored", "tired", "awake", "puzzled", "amused", "proud", "shy", "moved", "keen", "curious")
pytestmark = [needs_chromium, pytest.mark.timeout(600)]


@pytest.fixture
def gateway(server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 90, "readiness")
        yield gateway


@pytest.fixture
def page(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    with opened(browser, gateway.url) as page:
        yield page


def tile(page: Page, source: str = "front"):
    return page.locator(f".tile[data-source='{source}']")


def picture_of(page: Page) -> str:
    """All pixels of the first lane of the timeline."""
    return str(page.evaluate("document.querySelector('.lane canvas').toDataURL()"))


def test_a_tile_shows_video_boxes_faces_and_figures(page: Page, producer: Producer):
    wait_for_state(page, "connected")
    wait_for_video(page, "front")
    expect(tile(page).locator(".face")).to_have_count(2)
    happy = tile(page).locator(".face", has_text="face 1")
    expect(happy.locator(".face-emotion")).to_have_text("happy")
    expect(happy.get_by_role("meter")).to_have_count(5)
    expect(happy.get_by_role("meter", name="happy")).to_have_attribute("aria-valuenow", "95")
    expect(tile(page).locator(".box-label")).to_have_text(["happy 95%", "sad 90%"])
    expect(tile(page).locator("[data-part=age]")).to_contain_text("ms")
    expect(tile(page).locator("[data-part=skipped]")).to_have_text("0")
    expect(page.get_by_text("Emotion analysis is running")).to_be_visible()
    expect(tile(page).get_by_text("Camera on")).to_be_visible()
    expect(page.locator("#saving")).to_have_attribute("aria-checked", "true")
    expect(page.locator("#workers")).to_have_text("1")
    expect(page.locator("#model")).to_have_text("test@1.0.0")


def test_boxes_lie_where_the_faces_are_however_large_the_picture_is_shown(page: Page):
    wait_for_video(page, "front")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        expect(tile(page).locator(".box")).to_have_count(2)
        screen = tile(page).locator(".screen").bounding_box()
        box = tile(page).locator(".box").first.bounding_box()
        scale = screen["width"] / 640
        assert abs(box["x"] - screen["x"] - 220 * scale) < 2
        assert abs(box["width"] - 120 * scale) < 2


def test_faces_come_change_and_go(page: Page, producer: Producer):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    producer.faces.shown = {7: ((200.0, 80.0, 100.0, 120.0), SAD)}
    expect(tile(page).locator(".face")).to_have_count(1, timeout=PATIENCE_MS)
    expect(tile(page).locator(".face-emotion")).to_have_text("sad")
    producer.faces.shown = {7: ((200.0, 80.0, 100.0, 120.0), UNSURE)}
    expect(tile(page).locator(".face-emotion")).to_have_text("uncertain", timeout=PATIENCE_MS)
    expect(tile(page).locator(".face-between")).to_have_text("fear or surprise?")
    expect(tile(page).locator(".box-label")).to_have_text("fear or surprise?")
    producer.faces.shown = {}
    expect(page.get_by_text("No face in view")).to_be_visible(timeout=PATIENCE_MS)
    expect(tile(page).locator(".box")).to_have_count(0)


def test_the_timeline_moves_and_tells_its_episodes_in_words(page: Page, producer: Producer):
    expect(tile(page).locator(".lane")).to_have_count(2, timeout=PATIENCE_MS)
    expect(tile(page).locator(".legend li")).to_have_text(["angry", "fear", "happy", "sad", "surprise"])
    before = picture_of(page)
    until(lambda: picture_of(page) != before, 60, "another picture of the timeline")
    producer.faces.shown = {1: ((220.0, 100.0, 120.0, 140.0), SAD)}
    tile(page).get_by_text("In words").click()
    expect(tile(page).locator(".words")).to_contain_text("face 1, sad for", timeout=PATIENCE_MS)
    expect(tile(page).locator(".words")).to_contain_text("face 1, happy for")


def test_a_page_that_is_opened_later_has_the_timeline_from_before(
    browser: Browser, gateway: GatewayProcess, page: Page
):
    wait_for_state(page, "connected")
    until(lambda: gateway.get("/api/v1/episodes").json().get("items"), 60, "an episode in the history")
    with opened(browser, gateway.url) as later:
        wait_for_state(later, "connected")
        later.wait_for_function("() => document.querySelectorAll('.words li').length >= 2")


def test_a_model_of_other_classes_is_shown_with_its_own_words(page: Page, producer: Producer):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    share = tuple([0.9] + [0.1 / (len(OTHER_CLASSES) - 1)] * (len(OTHER_CLASSES) - 1))
    producer.faces.shown = {9: ((220.0, 100.0, 120.0, 140.0), share)}
    producer.labels = OTHER_CLASSES
    calm = tile(page).locator(".face", has_text="face 9")
    expect(calm.locator(".face-emotion")).to_have_text("calm", timeout=PATIENCE_MS)
    expect(calm.get_by_role("meter")).to_have_count(len(OTHER_CLASSES))
    looks = calm.locator(".bar-row").evaluate_all("(rows) => rows.map((row) => row.className)")
    assert len(set(looks)) == len(OTHER_CLASSES)  # colour or texture tells them apart, and each has its name
    expect(page.locator("#view-live")).not_to_contain_text("undefined")


def test_the_page_says_when_redis_is_away_and_comes_back_with_it(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    server.kill()
    wait_for_state(page, "stale", "Redis")
    expect(tile(page).locator(".veil")).to_contain_text("Redis")
    expect(tile(page).locator(".face")).to_have_count(0, timeout=PATIENCE_MS)
    server.start()
    wait_for_state(page, "connected")
    expect(tile(page).locator(".veil")).to_be_hidden(timeout=PATIENCE_MS)
    expect(tile(page).locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    wait_for_video(page, "front")


def test_the_page_comes_back_when_the_gateway_does(
    page: Page, gateway: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    wait_for_state(page, "connected")
    wait_for_video(page, "front")
    gateway.process.kill()
    wait_for_state(page, "reconnecting")
    expect(tile(page).locator(".veil")).to_contain_text("cannot be reached")
    with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
        wait_for_state(page, "connected")
        expect(tile(page).locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
        wait_for_video(page, "front")


def test_each_source_has_a_tile_and_one_that_is_offline_says_why(page: Page, server: PrivateServer):
    with Producer(server.url, "door", order=1, answers_uploads=False) as door:
        wait_for_video(page, "door")
        wait_for_video(page, "front")
        door.state, door.reason = "OFFLINE", "unplugged"
        wait_for_state(page, "stale", "door is offline")
        expect(tile(page, "door").get_by_text("Camera on")).to_be_hidden()
        expect(tile(page, "door").locator(".veil")).to_have_text("offline: unplugged")
        expect(tile(page, "door").locator(".face")).to_have_count(0, timeout=PATIENCE_MS)
        expect(tile(page, "front").locator(".veil")).to_be_hidden()
        expect(tile(page, "front").locator(".face")).to_have_count(2)


def test_a_source_that_is_forgotten_has_no_tile(page: Page, producer: Producer, server: PrivateServer):
    wait_for_state(page, "connected")
    with Producer(server.url, "door", order=1):
        expect(tile(page, "door")).to_be_visible(timeout=PATIENCE_MS)
        producer.stop()
        with connect(server.url, "test").commands as client:
            client.hdel(keys.SOURCES, "front")
        expect(tile(page, "front")).to_have_count(0, timeout=PATIENCE_MS)
        expect(tile(page, "door").locator(".face")).to_have_count(2, timeout=PATIENCE_MS)


def test_a_capture_that_died_without_a_word_is_stale(page: Page, producer: Producer, server: PrivateServer):
    wait_for_state(page, "connected")
    with Producer(server.url, "door", order=1):  # so that a worker is still there
        producer.stop()
        wait_for_state(page, "stale", "front is offline")
        expect(tile(page).locator(".veil")).to_contain_text("gone or stuck")


def test_a_backlog_that_stands_is_shown_with_what_would_help(page: Page, server: PrivateServer):
    wait_for_state(page, "connected")
    expect(page.locator("#backlog")).to_have_text("0")
    expect(page.locator("#backlog-hint")).to_be_hidden()
    with connect(server.url, "test").commands as client:
        for _ in range(42):
            client.xadd(keys.crops("front"), {"a": "b"})
        expect(page.locator("#backlog")).to_have_text("42", timeout=PATIENCE_MS)
        expect(page.locator("#backlog-hint")).to_contain_text("another worker would help", timeout=PATIENCE_MS)
        client.delete(keys.crops("front"))
        expect(page.locator("#backlog-hint")).to_be_hidden(timeout=PATIENCE_MS)


def test_a_click_saves_the_face(page: Page, gateway: GatewayProcess):
    expect(tile(page).locator(".face")).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Save face now").click()
    line = tile(page).locator("[data-part=line]")
    expect(line).to_contain_text("Saved happy/happy_", timeout=PATIENCE_MS)
    assert (gateway.folder / line.inner_text().removeprefix("Saved ")).exists()


def test_a_second_tab_costs_no_second_encode(browser: Browser, page: Page, gateway: GatewayProcess):
    """Blurred, so that pictures have to be made at all: the plain ones go out as the capture made them."""
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
        assert page.evaluate("window.most") < 1.6, "each frame is encoded once, whoever watches"
        assert second.evaluate("document.querySelector('.tile canvas').width") == 640


def test_blur_and_saving_are_switched_for_all_and_survive_a_restart(
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


def test_words_stay_with_the_box_that_they_belong_to(page: Page, producer: Producer):
    wait_for_video(page, "front")
    left, right = (60.0, 100.0, 100.0, 120.0), (440.0, 100.0, 100.0, 120.0)
    producer.faces.shown = {11: (left, HAPPY), 12: (right, SAD)}
    page.wait_for_function(
        "() => [...document.querySelectorAll('.box')].some((box) => parseFloat(box.style.left) > 60)"
    )
    expect(tile(page).locator(".box-label")).to_have_text(["happy 95%", "sad 90%"], timeout=PATIENCE_MS)
    wrong = page.evaluate(
        """() => new Promise((done) => {
            let looks = 0, wrong = 0;
            const look = () => {
              for (const box of document.querySelectorAll('.box')) {
                const words = box.textContent, left = parseFloat(box.style.left) < 50;
                if (words && words.startsWith('happy') !== left) wrong += 1;
              }
              if (++looks < 120) requestAnimationFrame(look); else done(wrong);
            };
            look();
        })"""
    )
    assert wrong == 0
