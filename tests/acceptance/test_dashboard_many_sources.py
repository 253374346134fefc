"""The section Live of the dashboard with many sources: connections, the places of the tiles, and what moves them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.browser import TIMEOUT_MS, needs_chromium, opened, wait_for_state
from tests.stage import Producer
from tests.system import System

OTHERS = ("attic", "door", "garden", "hall", "kitchen", "roof", "yard")
WALL = {"width": 1280, "height": 6000}
"""High enough that every tile is in view."""
pytestmark = [needs_chromium, pytest.mark.timeout(600)]


@pytest.fixture
def page(browser: Browser, system: System) -> Iterator[Page]:
    with opened(browser, system.gateway.url, viewport=WALL) as page:
        yield page


@pytest.fixture
def eight(system: System) -> Iterator[list[Producer]]:
    """Eight sources: the system's own, and seven slower ones."""
    with ExitStack() as stack:
        others = [
            Producer(system.server.url, name, order=place, answers_uploads=False, fps=3)
            for place, name in enumerate(OTHERS, start=1)
        ]
        yield [system.producer, *map(stack.enter_context, others)]


def wait_for_videos(page: Page, count: int) -> None:
    """Wait until so many tiles have shown a frame."""
    page.wait_for_function(
        "(count) => document.querySelectorAll('.tile canvas[data-frame]').length >= count",
        arg=count,
        timeout=TIMEOUT_MS,
    )


def test_two_tabs_with_eight_videos_each_leave_the_api_answering(
    browser: Browser, system: System, eight: list[Producer]
):
    """A browser opens at most six HTTP/1.1 connections to a host, for all of its tabs together."""
    status = """async () => {
        const response = await fetch("/api/v1/sources", { signal: AbortSignal.timeout(20000) });
        return response.status;
    }"""
    with browser.new_context(viewport=WALL) as tabs:
        for _ in range(2):
            tab = tabs.new_page()
            feeds: list[str] = []
            tab.on("websocket", lambda socket, feeds=feeds: feeds.append(socket.url))
            tab.goto(system.gateway.url)
            wait_for_state(tab, "connected")
            expect(tab.locator(".tile")).to_have_count(len(eight), timeout=TIMEOUT_MS)
            wait_for_videos(tab, len(eight))
            assert len(feeds) <= 2, feeds
        for tab in tabs.pages:
            assert tab.evaluate(status) == 200
