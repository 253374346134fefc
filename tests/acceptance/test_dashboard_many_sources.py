"""The section Live of the dashboard with many sources: connections, the places of the tiles, and what moves them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from contract import keys
from contract.redis.broker import connect
from tests.acceptance.browser import TIMEOUT_MS, needs_chromium, opened, wait_for_state
from tests.stage import HAPPY, SAD, UNSURE, Producer
from tests.system import System

OTHERS = ("attic", "door", "garden", "hall", "kitchen", "roof", "yard")
LAPTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
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


@pytest.mark.long
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


def names_of_tiles(page: Page) -> list[str]:
    return list(page.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => tile.dataset.source)"))


def test_tiles_are_in_the_order_of_their_sources_whenever_they_arrive(page: Page, system: System):
    wait_for_state(page, "connected")
    with ExitStack() as stack:
        places = {"yard": 3, "attic": 2, "door": 1, "early": -1}
        for count, (name, place) in enumerate(places.items(), start=2):
            stack.enter_context(Producer(system.server.url, name, order=place, answers_uploads=False, fps=3))
            expect(page.locator(".tile")).to_have_count(count, timeout=TIMEOUT_MS)
        assert names_of_tiles(page) == ["early", "front", "door", "attic", "yard"]
        page.reload()
        expect(page.locator(".tile")).to_have_count(5, timeout=TIMEOUT_MS)
        assert names_of_tiles(page) == ["early", "front", "door", "attic", "yard"]


RECORD_PLACES = """() => {
    window.places = new Map();
    window.shift = 0; // a face that leaves moves those behind it within their row, but no part of the page
    const isPlace = (node) => node?.nodeType === 1 && node.matches(".bar, .notice, .head, .tiles, .tile, .tile > *");
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.sources.some(({ node }) => isPlace(node))) window.shift += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: false });
    const record = () => {
      for (const tile of document.querySelectorAll(".tile")) {
        const name = tile.dataset.source, { top, height } = tile.getBoundingClientRect();
        if (!window.places.has(name)) window.places.set(name, new Set());
        window.places.get(name).add(`${Math.round(top + scrollY)}+${Math.round(height)}`);
      }
      requestAnimationFrame(record);
    };
    record();
}"""


@pytest.mark.long
@pytest.mark.parametrize("size", [pytest.param(LAPTOP, id="laptop"), pytest.param(PHONE, id="phone")])
def test_no_tile_moves_when_faces_states_and_messages_come_and_go(
    browser: Browser, system: System, size: dict[str, int]
):
    front = system.producer
    with (
        Producer(system.server.url, "door", order=1, answers_uploads=False, fps=5) as door,
        Producer(system.server.url, "hall", order=2, answers_uploads=False, fps=5),
        connect(system.server.url, "test").commands as client,
        opened(browser, system.gateway.url, viewport=size) as page,
    ):
        front.faces.shown = door.faces.shown = {}
        expect(page.locator(".tile")).to_have_count(3, timeout=TIMEOUT_MS)
        wait_for_videos(page, 1)
        expect(page.get_by_text("No face in view").first).to_be_visible(timeout=TIMEOUT_MS)
        page.evaluate(RECORD_PLACES)

        faces = page.locator(".tile[data-source='front'] .face")
        crowd = {321 + i: ((20.0 + i * 100, 90.0, 90.0, 100.0), (HAPPY, SAD, UNSURE)[i % 3]) for i in range(6)}
        front.faces.shown = crowd
        expect(faces).to_have_count(6, timeout=TIMEOUT_MS)
        # This source measures no stages; their line is kept.
        expect(page.locator(".tile[data-source='front'] [data-part=stages]")).to_be_visible(timeout=TIMEOUT_MS)
        page.locator(".tile[data-source='front'] [data-part=save]").click()
        expect(page.locator(".tile[data-source='front'] [data-part=status]")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.locator(".tile[data-source='front'] .lane").nth(4)).to_be_attached(timeout=TIMEOUT_MS)
        door.state, door.reason = "OFFLINE", "the camera returned an HTML page instead of a video, " * 3
        expect(page.locator(".tile[data-source='door'] .video-message")).to_contain_text("HTML", timeout=TIMEOUT_MS)
        for _ in range(30):
            client.xadd(keys.crops("front"), {"a": "b"})
        expect(page.locator("#backlog-hint")).to_be_visible(timeout=TIMEOUT_MS)
        front.warning = "capture is too slow: 0.5 of 25 frames/s"
        expect(page.get_by_text("capture is too slow").first).to_be_visible(timeout=TIMEOUT_MS)
        client.delete(keys.crops("front"))
        front.faces.shown = {}
        door.state, door.reason = "ONLINE", ""
        expect(faces).to_have_count(0, timeout=TIMEOUT_MS)
        expect(page.locator(".tile[data-source='door'] .video-message")).to_be_hidden(timeout=TIMEOUT_MS)

        places = page.evaluate("Object.fromEntries([...window.places].map(([name, seen]) => [name, [...seen]]))")
        assert {name: len(seen) for name, seen in places.items()} == {"front": 1, "door": 1, "hall": 1}, places
        assert page.evaluate("window.shift") < 0.01
