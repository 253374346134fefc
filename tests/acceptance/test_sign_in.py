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
        for hidden in ("#saving", "#add-source", ".delete", ".tile [data-part='save']"):
            for one in page.locator(hidden).all():
                expect(one).to_be_hidden()
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
