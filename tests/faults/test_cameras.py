"""Rows 13 to 16: more crops than can be read, and cameras that die, fall silent, send rubbish or spoil others."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from capture_service.sources.spec import SourceSpec, parse_list
from contract import keys
from contract.messages import FrameDone, FrameHeader, read_outcome
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.capture import MjpegServer, capturing, settings, status, until
from tests.faults.crew import Crew
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.stage import gateway_process
from tests.stage import until as until_true

OFFLINE_SECONDS, RECONNECT_SECONDS = 5.0, 30.0
SLACK = 3
DEFAULTS = {"reconnect_first": "500ms", "reconnect_longest": "10s", "stall_timeout": "4s", "open_timeout": "5s"}
"""As they ship, where other tests are in a hurry."""
CUTS = {"cut off early": 0.3, "cut off in the middle": 0.6, "cut off late": 0.9}
RED, BLUE = (0, 0, 255), (255, 0, 0)


@pytest.fixture
def camera() -> Iterator[MjpegServer]:
    camera = MjpegServer()
    camera.start()
    yield camera
    camera.die()


def stream(name: str, camera: MjpegServer) -> SourceSpec:
    return SourceSpec(name, "stream", f"http://127.0.0.1:{camera.port}/video")


def jpeg(colour: tuple[int, int, int]) -> bytes:
    """A picture of noise in one colour, so that it has enough bytes to be cut."""
    noise = np.random.default_rng(1).integers(100, 255, (120, 160, 1), dtype=np.uint8)
    return cv2.imencode(".jpg", (noise * (np.array(colour) / 255)).astype(np.uint8))[1].tobytes()


@pytest.mark.row(13)
def test_with_ten_times_too_many_crops_the_readings_shown_are_recent_and_every_crop_is_accounted_for(
    server: PrivateServer, clients: Clients, crew: Crew, ledger: Ledger, record_property
):
    crew.start(batch=1, test_seconds_per_batch=0.02)
    with Load(server.url, ledger, 125, deadline_after_ms=450, backlog_limit=100) as load:
        until_true(lambda: ledger.balance().ok + ledger.balance().stale, 60, "the first outcome")
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:
            ledger.read()
            time.sleep(0.1)
        load.end_sending()
        until_true(lambda: ledger.balance().backlog == 0, 60, "all outcomes")
    fresh = [one for one in ledger.readings.values() if not one.stale]
    ages = np.array([one.done_ms - one.captured_ms for one in fresh])
    assert fresh, "nothing fresh is shown"
    p99 = float(np.percentile(ages, 99))
    record_property("figures", f"age p99 {p99:.0f} ms, {len(fresh)} fresh, skipped {load.skipped}")
    assert load.skipped > 0, "it was no overload"
    assert p99 <= 500 * SLACK
    assert ledger.balance().lost == 0


@pytest.mark.row(13)
def test_skipped_and_published_frames_add_up_to_the_captured_frames(
    server: PrivateServer, clients: Clients, crew: Crew
):
    crew.start(batch=1, test_seconds_per_batch=0.4)
    with capturing(parse_list("demo=demo")[0], settings(server, detector="blazeface", backlog_limit=5)) as stop:
        until(lambda: (reported := status(clients.commands, "demo")) and reported.skipped > 40, 60)
        stop.set()
    reported = status(clients.commands, "demo")
    until(lambda: clients.commands.xlen(keys.crops("demo")) == 0, 60)
    outcomes = [read_outcome(fields) for _, fields in clients.commands.xrange(keys.results("demo"))]
    shown = [one.id.frame for one in outcomes if isinstance(one, FrameDone)]
    assert len(shown) == reported.frames
    captured = max(shown) + 1
    assert captured <= reported.frames + reported.skipped <= captured + reported.skipped
    gaps = captured - len(shown)
    assert gaps <= reported.skipped


@pytest.mark.row(14)
@pytest.mark.parametrize("fault", ["dies", "falls silent"])
def test_a_lost_camera_is_soon_offline_is_not_shown_as_live_and_comes_back(
    server: PrivateServer, clients: Clients, camera: MjpegServer, tmp_path: Path, fault: str, record_property
):
    client = clients.commands
    with (
        gateway_process(server.url, tmp_path / "faces", save="false", history="0") as gateway,
        capturing(stream("cam", camera), settings(server, **DEFAULTS)),
    ):
        still = f"{gateway.url}/api/v1/sources/cam/frame.jpg"
        until_true(gateway.alive, 90, "the gateway")
        until_true(lambda: httpx.get(still, timeout=20).status_code == 200, 60, "a picture")
        camera.die() if fault == "dies" else camera.silent.set()
        began = time.monotonic()
        until(lambda: status(client, "cam").state != "ONLINE", OFFLINE_SECONDS * SLACK)
        until(lambda: status(client, "cam").state == "OFFLINE", OFFLINE_SECONDS * SLACK)
        offline = time.monotonic() - began
        until_true(lambda: httpx.get(still, timeout=20).status_code == 503, 15, "no picture")
        camera.start() if fault == "dies" else camera.silent.clear()
        began = time.monotonic()
        until(lambda: status(client, "cam").state == "ONLINE", RECONNECT_SECONDS * SLACK)
        record_property("figures", f"OFFLINE after {offline:.1f} s, back after {time.monotonic() - began:.1f} s")
        until_true(lambda: httpx.get(still, timeout=20).status_code == 200, 60, "a picture again")


@pytest.mark.row(15)
@pytest.mark.parametrize("damage", [*CUTS, "in the middle"])
def test_a_damaged_frame_never_shows_the_pixels_of_the_one_before(
    server: PrivateServer, clients: Clients, damage: str, record_property
):
    camera = Pictures([jpeg(RED), damaged(jpeg(BLUE), damage)])
    camera.start()
    seen = []
    with capturing(stream("cam", camera), settings(server)), clients.blocking.pubsub() as listener:
        listener.subscribe(keys.frames("cam"))

        def enough() -> bool:
            message = listener.get_message(ignore_subscribe_messages=True, timeout=1)
            picture = FrameHeader.decode(message["data"])[1] if message else b""
            if picture:
                seen.append(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR))
            return len(seen) >= 20

        until(enough, 60)
        reported = status(clients.commands, "cam")
    camera.die()
    record_property("figures", f"{reported.frames} frames, {reported.skipped} passed over")
    for picture in seen:
        red, blue = coloured(picture, 2), coloured(picture, 0)
        assert min(red, blue) < 0.02, f"{red:.0%} of one frame and {blue:.0%} of another"


def damaged(jpeg: bytes, how: str) -> bytes:
    scan = jpeg.index(b"\xff\xda") + 20
    if share := CUTS.get(how):
        return jpeg[: scan + round((len(jpeg) - scan) * share)]
    middle = (scan + len(jpeg)) // 2
    return jpeg[:middle] + bytes(400) + jpeg[middle + 400 :]


class Pictures(MjpegServer):
    """Sends pictures in turn, whole or not."""

    def __init__(self, parts: list[bytes]) -> None:
        super().__init__()
        self.parts = parts

    def picture(self, number: int) -> bytes:
        return self.parts[number % len(self.parts)]


def coloured(picture: np.ndarray, channel: int) -> float:
    """The share of pixels in which this channel is by far the strongest."""
    others = np.delete(picture, channel, axis=2).max(axis=2).astype(int)
    return float((picture[:, :, channel].astype(int) - others > 60).mean())


@pytest.mark.row(16)
def test_one_broken_camera_of_eight_does_not_slow_the_others(server: PrivateServer, clients: Clients, record_property):
    cameras = [Slow() for _ in range(8)]
    with ExitStack() as stack:
        for number, camera in enumerate(cameras):
            camera.start()
            stack.callback(camera.die)
            stack.enter_context(capturing(stream(f"cam{number}", camera), settings(server), order=number))
        until(lambda: all(state_of(clients, number) == "ONLINE" for number in range(8)), 90)
        shares = []
        for _ in range(3):
            cameras[7].silent.clear()
            until(lambda: state_of(clients, 7) == "ONLINE", 60)
            before = rate(clients)
            cameras[7].silent.set()
            until(lambda: state_of(clients, 7) != "ONLINE", 60)
            shares.append(rate(clients) / before)
    record_property("figures", f"the others' rate with one broken: {', '.join(f'{one:.0%}' for one in shares)}")
    assert max(shares) >= 0.9


class Slow(MjpegServer):
    """Five pictures a second."""

    every_seconds = 0.2


def state_of(clients: Clients, number: int) -> str:
    reported = status(clients.commands, f"cam{number}")
    return reported.state if reported else ""


def rate(clients: Clients, seconds: float = 5.0) -> float:
    """Frames a second of the first seven together."""

    def frames() -> int:
        reported = [status(clients.commands, f"cam{number}") for number in range(7)]
        return sum(one.frames + one.skipped for one in reported)

    first, began = frames(), time.monotonic()
    time.sleep(seconds)
    return (frames() - first) / (time.monotonic() - began)
