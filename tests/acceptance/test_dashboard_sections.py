"""The sections History, Faces, Analyze and Settings, and the accessibility of all sections."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from contract import keys
from contract.redis.broker import connect
from tests.acceptance.browser import TIMEOUT_MS, needs_chromium, opened, wait_for_state
from tests.stage import SAD, UNSURE, GatewayProcess, Producer, clip_frames, until
from tests.system import System

SECTIONS = ("live", "history", "faces", "analyze", "settings")
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SYSTEM_SETTINGS = {"save_every": "0.2s"}
pytestmark = [needs_chromium, pytest.mark.timeout(600)]


@pytest.fixture
def gateway(system: System) -> GatewayProcess:
    return system.gateway


@pytest.fixture
def page(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    with opened(browser, gateway.url) as page:
        yield page


def go(page: Page, section: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=section.capitalize()).click()
    expect(page.locator(f"#view-{section}")).to_be_visible()


def jpeg() -> bytes:
    return cv2.imencode(".jpg", clip_frames(1)[0])[1].tobytes()


def test_a_section_has_a_url_and_is_announced_to_screen_readers(page: Page, gateway: GatewayProcess):
    go(page, "history")
    assert page.url.endswith("#history")
    assert page.title() == "History · Emotii"
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    expect(page.get_by_role("link", name="History")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator("#view-live")).to_be_visible()
    page.goto(f"{gateway.url}/#faces")
    expect(page.locator("#view-faces")).to_be_visible()


def test_an_uploaded_picture_is_shown_with_its_faces(page: Page):
    wait_for_state(page, "connected")
    go(page, "analyze")
    page.locator("#file").set_input_files({"name": "us.jpg", "mimeType": "image/jpeg", "buffer": jpeg()})
    result = page.locator("#picture-result")
    expect(result.locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
    expect(result.locator(".face-emotion")).to_have_text(["happy", "happy"])
    expect(result.locator(".box-label")).to_have_text(["happy 95%", "happy 95%"])
    expect(result.locator("canvas")).to_have_js_property("width", 640)
    expect(result).to_contain_text("test@1.0.0")


def test_a_file_that_is_not_a_picture_shows_an_error(page: Page):
    wait_for_state(page, "connected")
    go(page, "analyze")
    page.locator("#file").set_input_files({"name": "us.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    expect(page.locator("#analyze-status")).to_have_attribute("data-error", "", timeout=TIMEOUT_MS)
    expect(page.locator("#analyze-status")).to_contain_text("picture")


def test_a_user_changes_the_emotion_of_a_saved_face_and_deletes_it(page: Page, gateway: GatewayProcess):
    until(lambda: len(gateway.saved()) >= 4, 60, "saved faces")
    page.get_by_role("switch", name="Save faces").click()
    go(page, "faces")
    saved = page.locator(".saved-face")
    expect(saved.first).to_be_visible(timeout=TIMEOUT_MS)
    until(lambda: saved.first.locator("img").evaluate("(image) => image.naturalWidth") > 0, 60, "the picture")

    face = page.locator(".saved-face[data-name^='happy_']").first
    face.get_by_role("combobox").select_option("surprise")
    expect(page.locator("#gallery-status")).to_have_text("Changed the emotion to surprise.", timeout=TIMEOUT_MS)
    assert [path for path in gateway.saved() if path.parent.name == "surprise"]
    page.locator("#gallery-emotion").select_option("surprise")
    expect(saved).to_have_count(1, timeout=TIMEOUT_MS)
    expect(saved).to_contain_text("predicted: happy")

    saved.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this saved face?")
    expect(dialog).to_contain_text("surprise")
    dialog.get_by_role("button", name="Delete").click()
    expect(saved).to_have_count(0, timeout=TIMEOUT_MS)
    assert not [path for path in gateway.saved() if path.parent.name == "surprise"]


def test_the_target_of_an_erasure_is_named_after_any_way_to_the_form(browser: Browser, gateway: GatewayProcess):
    with opened(browser, f"{gateway.url}/#settings") as page:
        source = page.locator("#erasure [name=source]")
        expect(source.locator("option")).to_have_text(["choose …", "all sources", "front"], timeout=TIMEOUT_MS)
        assert source.evaluate("(select) => select.selectedOptions[0].textContent") == "choose …"
        page.get_by_role("button", name="Erase", exact=True).click()
        assert source.evaluate("(select) => !select.validity.valid"), "nothing is chosen, so nothing is erased"
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_erasure_erases_what_its_dialog_named(page: Page, gateway: GatewayProcess, system: System):
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data) if "/erasures" in request.url else None)
    with Producer(system.server.url, "door", order=1, answers_uploads=False) as door:
        go(page, "settings")
        source = page.locator("#erasure [name=source]")
        expect(source.locator("option")).to_have_text(["choose …", "all sources", "front", "door"], timeout=TIMEOUT_MS)
        source.select_option("door")
        page.locator("#erasure [name=range]").select_option("last hour")
        page.get_by_role("button", name="Erase", exact=True).click()
        dialog = page.get_by_role("dialog", name="Erase the data of door?")
        expect(dialog).to_contain_text("since")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}
        ]
        assert serious == []
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert not sent

        page.get_by_role("button", name="Erase", exact=True).click()
        door.stop()
        with connect(system.server.url, "test").commands as client:
            client.hdel(keys.SOURCES, "door")
        until(lambda: len(gateway.get("/api/v1/sources").json()["sources"]) == 2, 60, "the source is gone")
        page.wait_for_timeout(1500)  # the page receives that it is gone
        dialog.get_by_role("button", name="Erase the data of door").click()
        expect(page.locator("#erasure-status")).to_have_text(re.compile("Erased the data of door"), timeout=TIMEOUT_MS)
        scope = json.loads(next(filter(None, sent)))
        assert (scope["source"], set(scope)) == ("door", {"source", "from"})
        assert source.input_value() == "door", "a source that is gone stays chosen: its data may still be there"


@pytest.mark.alone
def test_a_dialog_confirms_the_erasure_of_everything(page: Page, gateway: GatewayProcess):
    until(lambda: len(gateway.saved()) >= 2, 60, "saved faces")
    page.get_by_role("switch", name="Save faces").click()
    go(page, "settings")
    page.locator("#erasure [name=source]").select_option("all sources")
    page.get_by_role("button", name="Erase", exact=True).click()
    dialog = page.get_by_role("dialog", name="Erase the data of all sources?")
    expect(dialog).to_contain_text("uploaded videos")
    assert gateway.saved(), "nothing is erased before it is confirmed"
    dialog.get_by_role("button", name="Erase the data of all sources").click()
    expect(page.locator("#erasure-status")).to_have_text(re.compile(r"[1-9]\d* saved faces"), timeout=TIMEOUT_MS)
    assert gateway.saved() == []
    assert [erasure["state"] for erasure in gateway.get("/api/v1/erasures").json()["erasures"]] == ["done"]


@pytest.mark.alone
def test_the_history_filters_episodes_by_emotion_and_exports_csv(
    page: Page, gateway: GatewayProcess, producer: Producer
):
    until(lambda: gateway.get("/api/v1/episodes").json().get("items"), 60, "an episode")
    producer.faces.shown = {1: ((220.0, 100.0, 120.0, 140.0), SAD)}
    until(lambda: len(gateway.get("/api/v1/episodes").json().get("items")) >= 3, 60, "three episodes")
    go(page, "history")
    rows = page.locator("#history-rows tr")
    expect(rows).not_to_have_count(0, timeout=TIMEOUT_MS)
    page.locator("#history-filters [name=emotion]").select_option("happy")
    expect(rows).to_have_count(1, timeout=TIMEOUT_MS)
    expect(rows).to_contain_text("front")
    expect(page.locator("#history-chart canvas")).to_have_attribute("aria-label", re.compile("happy"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert "emotion" in lines[0]
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        pytest.param("light", LAPTOP, id="laptop-light"),
        pytest.param("dark", PHONE, id="phone-dark"),
        pytest.param("dark", LAPTOP, id="laptop-dark", marks=pytest.mark.long),
        pytest.param("light", PHONE, id="phone-light", marks=pytest.mark.long),
    ],
)
def test_no_section_has_a_serious_accessibility_violation(
    browser: Browser, gateway: GatewayProcess, scheme: str, size: dict[str, int]
):
    until(gateway.saved, 60, "a saved face")
    with opened(browser, gateway.url, color_scheme=scheme, viewport=size) as page:
        wait_for_state(page, "connected")
        expect(page.locator(".face")).to_have_count(2, timeout=TIMEOUT_MS)
        for section in SECTIONS:
            go(page, section)
            if section == "analyze":
                page.locator("#file").set_input_files({"name": "us.jpg", "mimeType": "image/jpeg", "buffer": jpeg()})
                expect(page.locator("#picture-result .face")).to_have_count(2, timeout=TIMEOUT_MS)
            page.wait_for_timeout(300)  # colour transitions must end before the contrast is checked
            found = Axe().run(page).response["violations"]
            bad = [
                (flaw["id"], flaw["nodes"][0]["html"], flaw["nodes"][0]["failureSummary"])
                for flaw in found
                if flaw["impact"] in {"serious", "critical"}
            ]
            assert bad == [], section
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{section} scrolls sideways"


def test_the_keyboard_reaches_every_control(page: Page):
    wait_for_state(page, "connected")
    expect(page.get_by_text("Episode list").first).to_be_visible(timeout=TIMEOUT_MS)  # exists once there is a source
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
    assert {"Live", "History", "Faces", "Analyze", "Settings", "Save faces", "Save face now", "Episode list"} <= reached


def test_a_camera_of_a_private_network_is_refused_with_the_setting_that_allows_it(page: Page):
    wait_for_state(page, "connected")
    go(page, "settings")
    form = page.locator("#add-source")
    form.get_by_label("Name").fill("lan")
    form.get_by_label("Address").fill("rtsp://me:hunter2@192.168.77.20/stream")
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("status")).to_contain_text("192.168.77.20", timeout=TIMEOUT_MS)
    expect(form.locator("#add-setting")).to_have_text("EMOTII_CAMERA_NETWORKS=192.168.77.0/24")
    assert "hunter2" not in form.inner_text()
    form.get_by_label("Address").fill("demo")
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("status")).to_have_text("Added lan.", timeout=TIMEOUT_MS)
    expect(form.locator("#add-setting")).to_be_hidden()


CONTRASTS_OF_CONTROLS = """() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
    const backdrop = (element) => {
      if (!element) return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
      return over(parse(getComputedStyle(element).backgroundColor), backdrop(element.parentElement));
    };
    const luminance = (colour) => {
      const linear = (one) => (one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
      const [r, g, b] = colour.map((one) => linear(one / 255));
      return .2126 * r + .7152 * g + .0722 * b;
    };
    const contrast = (one, other) => {
      const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (high + .05) / (low + .05);
    };
    const controls = [...document.querySelectorAll("input, select, textarea, button, .button, .drop-zone")];
    const shown = controls.filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true })
      && !one.matches("input[type=checkbox], .switch, :disabled"));
    return shown.map((control) => {
      const style = getComputedStyle(control), behind = backdrop(control.parentElement);
      const border = over(parse(style.borderTopColor), behind), fill = over(parse(style.backgroundColor), behind);
      const name = control.labels?.[0]?.textContent || control.textContent || control.name || control.className;
      const best = Math.max(contrast(border, behind), contrast(fill, behind));
      return [name.trim().slice(0, 30), Math.round(10 * best) / 10];
    });
}"""
CUT_TEXTS = """() => {
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const texts = [...document.querySelectorAll("body *")].filter((one) => hasText(one) && one.checkVisibility());
    const cut = texts.filter((one) => !one.matches(".visually-hidden, .skip, option, .visually-hidden *")
      && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0);
    const outside = [...document.querySelectorAll(".box-label:not([hidden])")].filter((label) => {
      const [inner, outer] = [label.getBoundingClientRect(), label.closest(".screen").getBoundingClientRect()];
      return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1;
    });
    return [...cut, ...outside].map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        pytest.param("light", LAPTOP, id="laptop-light"),
        pytest.param("dark", PHONE, id="phone-dark", marks=pytest.mark.long),
    ],
)
def test_controls_are_visible_and_no_label_is_cut(
    browser: Browser, gateway: GatewayProcess, producer: Producer, scheme: str, size: dict[str, int]
):
    """The edge of every control contrasts by 3:1 with what is behind it (WCAG 2.2, 1.4.11)."""
    until(gateway.saved, 60, "a saved face")
    boxes = {328: (0.0, 0.0, 90.0, 100.0), 329: (540.0, 0.0, 100.0, 90.0), 330: (380.0, 200.0, 90.0, 90.0)}
    producer.faces.shown = {track: (box, UNSURE) for track, box in boxes.items()}
    with opened(browser, gateway.url, color_scheme=scheme, viewport=size) as page:
        wait_for_state(page, "connected")
        expect(page.locator(".box-label")).to_have_count(3, timeout=TIMEOUT_MS)
        expect(page.locator(".lane")).not_to_have_count(0, timeout=TIMEOUT_MS)
        for section in (*SECTIONS, "sign-in", "camera"):
            if section in SECTIONS:
                go(page, section)
            else:
                page.goto(f"{gateway.url}/{section}")
            page.wait_for_timeout(500)
            faint = [found for found in page.evaluate(CONTRASTS_OF_CONTROLS) if found[1] < 3]
            assert faint == [], section
            if section == "live":
                page.evaluate("document.querySelector('.lane-name').textContent = 'faces 12328\u201312333'")
            assert page.evaluate(CUT_TEXTS) == [], section
