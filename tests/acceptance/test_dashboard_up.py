"""The dashboard of `emotii up`: the demo, an added source, an uploaded video."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.browser import TIMEOUT_MS, needs_chromium, opened, wait_for_state, wait_for_video
from tests.acceptance.conftest import EMOTII, Running, eventually, free_port
from tests.conftest import shared

DEMO = Path(__file__).parents[2] / "capture_service" / "demo" / "demo.mp4"
LONG_MS = 180_000
"""The machine analyses a video beside the live source and may be busy."""
PARTS_OF_A_TILE = """() => {
    const legend = document.querySelector(".tile .legend");
    const stages = document.querySelector(".tile [data-part=stages]");
    const heights = [9, 888].map((ms) => {
        stages.textContent = `capture ${ms} · inference ${ms} · delivery ${ms}`;
        return stages.closest(".facts").offsetHeight;
    });
    return [[legend.scrollWidth - legend.clientWidth, legend.scrollHeight - legend.clientHeight], heights];
}"""
pytestmark = [needs_chromium, pytest.mark.timeout(600)]


class Up:
    """`emotii up` in the test's folder; it can be restarted."""

    def __init__(self, run: Callable[..., Running]) -> None:
        self._run = run
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = (*EMOTII, "up", "--port", str(self.port), "--source", "demo=demo")
        self.running = self._run(*command, EMOTII_CAMERA_NETWORKS="192.0.2.0/24")
        eventually(lambda: "is running" in self.running.output, 180, "the address")


@pytest.fixture
def up(run: Callable[..., Running]) -> Up:
    up = Up(run)
    up.start()
    return up


@pytest.fixture
def page(browser: Browser, up: Up) -> Iterator[Page]:
    with opened(browser, up.url) as page:
        yield page


def varies(read: Callable[[], object], count: int) -> Callable[[], bool]:
    """A condition: `read` has returned so many different values."""
    seen: set[object] = set()

    def has_varied() -> bool:
        seen.add(read())
        return len(seen) >= count

    return has_varied


def test_video_labels_bars_and_timeline_of_the_demo_change(page: Page):
    wait_for_state(page, "connected")
    wait_for_video(page, "demo")
    text = "() => [...document.querySelectorAll('.tile {}')].map((one) => one.textContent).join()"
    bars = "() => [...document.querySelectorAll('.meter-fill')].map((one) => one.style.transform).join()"
    lane = "() => document.querySelector('.lane canvas')?.toDataURL().length"
    for script, what in (
        (text.format(".box-label"), "labels on the picture"),
        (text.format(".face-emotion"), "emotions of the cards"),
        (bars, "bars"),
        (lane, "timeline"),
    ):
        eventually(varies(lambda script=script: page.evaluate(script), 2), 120, f"{what} change")
    expect(page.locator("[data-part=stages]")).to_contain_text("inference", timeout=TIMEOUT_MS)
    for width in (320, 360, 840, 1024, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        hidden, heights = page.evaluate(PARTS_OF_A_TILE)
        assert hidden == [0, 0], f"labels of the legend are cut at {width}"
        assert len(set(heights)) == 1, f"the tile grows with its latency at {width}: {heights}"


@pytest.mark.long
def test_an_added_source_survives_a_restart_until_it_is_removed(page: Page, up: Up):
    wait_for_state(page, "connected")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name").fill("again")
    page.get_by_label("Address").fill(str(DEMO))
    page.get_by_label("Restart when it ends").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#add-status")).to_have_text("Added again.", timeout=TIMEOUT_MS)
    again = page.locator("#sources li[data-source=again]")
    expect(again.locator(".state")).to_have_text("online", timeout=TIMEOUT_MS)

    assert up.running.end() == 0, up.running.output
    wait_for_state(page, "reconnecting")
    up.start()
    expect(again.locator(".state")).to_have_text("online", timeout=2 * TIMEOUT_MS)
    page.get_by_role("link", name="Live").click()
    page.locator(".tile[data-source=again]").scroll_into_view_if_needed()
    wait_for_video(page, "again")

    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("button", name="Remove demo")).to_have_count(0)  # it comes from the configuration
    page.get_by_role("button", name="Remove again").click()
    page.get_by_role("dialog", name="Remove again?").get_by_role("button", name="Remove again").click()
    expect(again).to_have_count(0, timeout=TIMEOUT_MS)


def test_the_page_shows_errors_of_added_sources_but_no_passwords(page: Page):
    wait_for_state(page, "connected")
    page.get_by_role("link", name="Settings").click()

    def add(name: str, address: str) -> None:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Address").fill(address)
        page.get_by_role("button", name="Add", exact=True).click()

    add("demo", "demo")
    expect(page.locator("#add-status")).to_have_attribute("data-error", "", timeout=TIMEOUT_MS)
    add("door", "rtsp://me:hunter2@192.0.2.7/stream")
    expect(page.locator("#sources li[data-source=door]")).to_be_visible(timeout=TIMEOUT_MS)
    page.wait_for_function(
        "() => document.querySelector('#sources li[data-source=door]')?.textContent.includes('192.0.2.7')"
    )
    assert "hunter2" not in page.content()
    page.get_by_role("button", name="Remove door").click()
    page.get_by_role("dialog", name="Remove door?").get_by_role("button", name="Remove door").click()
    expect(page.locator("#sources li[data-source=door]")).to_have_count(0, timeout=TIMEOUT_MS)


@pytest.mark.long
def test_a_dropped_video_is_analysed_with_timeline_and_csv(page: Page):
    video = shared("videos/two-people-head-pose.gif")
    wait_for_state(page, "connected")
    page.get_by_role("link", name="Analyze").click()
    page.evaluate(
        """(base64) => {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], "two people.gif", { type: "image/gif" }));
            const drop = new DragEvent("drop", { dataTransfer, cancelable: true });
            document.querySelector("#drop-zone").dispatchEvent(drop);
        }""",
        b64encode(video.read_bytes()).decode(),
    )
    job = page.locator(".job")
    expect(job.get_by_role("heading")).to_have_text("two people.gif", timeout=TIMEOUT_MS)
    expect(job.get_by_role("link", name="readings.csv")).to_be_visible(timeout=LONG_MS)
    expect(job.locator(".lane")).not_to_have_count(0, timeout=TIMEOUT_MS)
    with page.expect_download() as download:
        job.get_by_role("link", name="readings.csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) > 100
    page.reload()
    expect(job.locator(".lane")).not_to_have_count(0, timeout=TIMEOUT_MS)
    job.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete two people.gif?").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0, timeout=TIMEOUT_MS)
