"""A real Chromium, for tests of pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

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
TIMEOUT_MS = 60_000
START_MS = 180_000
"""A browser starts many processes, which is slow on a busy machine."""

needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium at /usr/bin/chromium (Debian's package)")


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """A browser without background connections."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*OPTIONS, *options], timeout=START_MS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, **context: Any) -> Iterator[Page]:
    """A new page. Fails if a script raises an error or violates the Content-Security-Policy."""
    page = browser.new_page(**context)
    page.set_default_timeout(TIMEOUT_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
    page.goto(url)
    yield page
    assert errors == []
    page.close()


def wait_for_state(page: Page, state: str, text: str = "") -> None:
    """Wait until the connection status in the header has this state and text."""
    pill = page.locator("#connection")
    expect(pill).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)
    expect(pill).to_contain_text(text, timeout=TIMEOUT_MS)


def wait_for_video(page: Page, source: str) -> None:
    """Wait until the video of a source has shown several frames."""
    canvas = f".tile[data-source='{source}'] canvas"
    moved = "(canvas) => (window.seen ??= new Set()).add(document.querySelector(canvas)?.dataset.frame).size > 3"
    page.evaluate("window.seen = undefined")
    page.wait_for_function(moved, arg=canvas, timeout=TIMEOUT_MS)
