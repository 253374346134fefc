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
PATIENCE_MS = 60_000
START_MS = 180_000
"""A browser starts many processes; on a busy machine that takes its time."""

needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium at /usr/bin/chromium (Debian's package)")


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """A browser that talks to nobody but the pages it opens."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*OPTIONS, *options], timeout=START_MS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, **context: Any) -> Iterator[Page]:
    """A page of its own, in which no script fails and nothing is done that its security policy forbids."""
    page = browser.new_page(**context)
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    page.goto(url)
    yield page
    assert complaints == []
    page.close()


def wait_for_state(page: Page, state: str, text: str = "") -> None:
    """Until the pill at the head of the page says so."""
    pill = page.locator("#connection")
    expect(pill).to_have_attribute("data-state", state, timeout=PATIENCE_MS)
    expect(pill).to_contain_text(text, timeout=PATIENCE_MS)


def wait_for_video(page: Page, source: str) -> None:
    """Until the picture of a source has moved twice."""
    canvas = f".tile[data-source='{source}'] canvas"
    moved = "(canvas) => (window.seen ??= new Set()).add(document.querySelector(canvas)?.dataset.frame).size > 3"
    page.evaluate("window.seen = undefined")
    page.wait_for_function(moved, arg=canvas, timeout=PATIENCE_MS)
