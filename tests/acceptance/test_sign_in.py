"""Signing in with a real Chromium, for pages, pictures, video and WebSockets; and the page of a viewer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from emotii.local.redis_server import PrivateServer
from tests.acceptance.browser import (
    TIMEOUT_MS,
    chromium,
    needs_chromium,
    opened,
    wait_for_state,
    wait_for_video,
)
from tests.stage import GatewayProcess, Producer, gateway_process, until

pytestmark = needs_chromium
VIEWER, OPERATOR = "v" * 24, "o" * 24
CONTROLS_OF_A_VIEWER = {
    "live": {"Episode list"},
    "history": {"Time range", "Source", "Emotion", "Face", "Download CSV", "Show earlier"},
    "faces": {"Emotion", "Show earlier"},
    "analyze": {"Choose a file"},
    "settings": set[str](),
}
VISIBLE_CONTROLS = """(section) => {
    const controls = ":is(button, input, select, summary, a)";
    const found = [...document.querySelectorAll(`#view-${section} ${controls}, .notice ${controls}`)];
    const nameOf = (one) => (one.labels?.[0]?.firstChild ?? one).textContent.trim();
    return found.filter((one) => one.checkVisibility({ visibilityProperty: true })).map(nameOf);
}"""


@pytest.fixture
def guarded(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    tokens = f"viewer:{VIEWER},operator:{OPERATOR}"
    with Producer(server.url), gateway_process(server.url, tmp_path / "faces", tokens=tokens) as gateway:
        until(gateway.ready, 90, "readiness")
        yield gateway


def test_a_user_signs_in_once_for_all_pages(guarded: GatewayProcess):
    with chromium() as browser, opened(browser, guarded.url) as page:
        expect(page).to_have_url(f"{guarded.url}/sign-in?page=/")
        assert [one for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}] == []
        page.get_by_label("Token").fill("x" * 24)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#sign-in-status")).to_contain_text("there is no such token")
        page.get_by_label("Token").fill(OPERATOR)
        page.keyboard.press("Enter")

        expect(page).to_have_url(f"{guarded.url}/", timeout=TIMEOUT_MS)
        wait_for_state(page, "connected")
        wait_for_video(page, "front")
        page.locator(".tile[data-source='front'] [data-part='save']").click()
        expect(page.locator(".tile[data-source='front'] [data-part='status']")).to_contain_text("Saved ")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert OPERATOR not in cookie["value"]
        assert page.evaluate("document.cookie") == ""
        page.goto(f"{guarded.url}/#faces")
        expect(page.locator("#gallery img").first).to_have_js_property("complete", value=True)
        assert page.evaluate("document.querySelector('#gallery img').naturalWidth") > 0
        page.goto(f"{guarded.url}/camera")
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible()

        page.goto(f"{guarded.url}/#live")
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{guarded.url}/sign-in", timeout=TIMEOUT_MS)
        page.goto(guarded.url)
        expect(page).to_have_url(f"{guarded.url}/sign-in?page=/")
    assert OPERATOR not in guarded.log.read_text()


def test_a_viewer_sees_no_operator_controls_and_signs_in_again_when_the_session_expires(
    guarded: GatewayProcess, server: PrivateServer
):
    with chromium() as browser, opened(browser, f"{guarded.url}/#faces") as page:
        page.get_by_label("Token").fill(VIEWER)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{guarded.url}/#faces", timeout=TIMEOUT_MS)
        wait_for_state(page, "connected")
        expect(page.locator("#sign-out")).to_have_text("Sign out (viewer)")
        for section, controls in CONTROLS_OF_A_VIEWER.items():
            page.goto(f"{guarded.url}/#{section}")
            expect(page.locator(f"#view-{section}")).to_be_visible()
            page.wait_for_timeout(500)  # what the section loads
            shown = page.evaluate(VISIBLE_CONTROLS, section)
            assert set(shown) <= controls, section
        page.goto(f"{guarded.url}/camera")
        expect(page.get_by_text("Your token is a viewer's")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_role("button", name="Start the camera")).to_be_hidden()
        page.goto(f"{guarded.url}/#faces")
        wait_for_state(page, "connected")
        assert page.evaluate("fetch('/save_current', {method: 'POST'}).then((answer) => answer.status)") == 403

        page.context.clear_cookies()
        guarded.process.terminate()
        guarded.process.wait(20)
        port = str(guarded.port)
        with gateway_process(server.url, guarded.folder, port=port, tokens=f"viewer:{VIEWER}"):
            expect(page).to_have_url(f"{guarded.url}/sign-in?page=/#faces", timeout=TIMEOUT_MS)
            page.get_by_label("Token").fill(VIEWER)
            page.get_by_role("button", name="Sign in").click()
            expect(page).to_have_url(f"{guarded.url}/#faces", timeout=TIMEOUT_MS)
            wait_for_state(page, "connected")
