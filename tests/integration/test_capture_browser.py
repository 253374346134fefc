"""A browser's camera, from the capture's side; the test plays the gateway."""

from collections import Counter
from typing import Any

import cv2
import numpy as np
import pytest

from capture_service.sources.spec import SourceSpec
from contract import keys
from contract.messages import Crop, FrameDone, FrameHeader, InboxPicture
from tests.capture import capturing, entries, settings, status, until
from tests.stage import clip_frames

TAB = SourceSpec("tab", "browser", "", added=True)
LEASE = keys.lease(keys.camera("tab"))
FACES = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in clip_frames(6)]


@pytest.fixture
def here(clients):
    """A gateway holds the lease: the browser is there."""
    clients.commands.set(LEASE, "a gateway")
    return clients.commands


def add_picture(client, frame, picture=FACES[0], epoch="one", late_ms=0):
    seconds, micros = client.time()
    sent = seconds * 1000 + micros // 1000 - late_ms
    fields: dict[Any, Any] = InboxPicture(epoch, frame, sent, sent + 1000, picture).fields()
    return client.xadd(keys.inbox("tab"), fields)


def done(client):
    return [entry for entry in entries(client, "tab") if isinstance(entry, FrameDone)]


def state(client, name, reason=""):
    found = status(client, "tab")
    return found and (found.state, found.reason) == (name, reason) and found


def tolerant_settings(server, **more):
    """Settings with a stall time-out that a busy machine does not reach."""
    return settings(server, stall_timeout="30s", **more)


def test_pictures_become_frames_with_stable_tracks_and_leave_the_inbox_when_processed(server, here):
    with capturing(TAB, tolerant_settings(server, detector="blazeface")):
        for frame, picture in enumerate(FACES):
            add_picture(here, frame, picture)
            until(lambda frame=frame: len(done(here)) == frame + 1)
        until(lambda: here.xlen(keys.inbox("tab")) == 0)
        found = until(lambda: state(here, "ONLINE"))
        assert (found.kind, found.added) == ("camera", True)
        assert [one.id.frame for one in done(here)] == list(range(len(FACES)))
        crops = [entry for entry in entries(here, "tab") if isinstance(entry, Crop)]
        assert {crop.id.epoch for crop in crops} == {found.epoch}
        assert all(crop.deadline_ms > crop.captured_ms for crop in crops)
        ((_, frames),) = Counter(crop.face.track for crop in crops).most_common(1)
        assert frames == len(FACES), "one face is one track over the frames"


def test_only_the_newest_of_several_waiting_pictures_is_processed_and_the_others_count_as_skipped(server, here):
    for frame in range(3):
        add_picture(here, frame)
    with capturing(TAB, tolerant_settings(server)):
        until(lambda: done(here))
        until(lambda: here.xlen(keys.inbox("tab")) == 0)
        add_picture(here, 3, late_ms=5000)
        add_picture(here, 4)
        until(lambda: len(done(here)) == 2)
        until(lambda: (found := status(here, "tab")) and found.skipped == 3)
        assert [one.id.frame for one in done(here)] == [2, 4]


def test_a_new_connection_starts_a_new_epoch(server, here):
    with capturing(TAB, tolerant_settings(server)):
        add_picture(here, 0, epoch="one")
        until(lambda: len(done(here)) == 1)

        def second():
            if here.xlen(keys.inbox("tab")) == 0:
                add_picture(here, 0, epoch="two")
            return len(done(here)) == 2

        until(second)
        first, other = done(here)
        assert first.id.epoch != other.id.epoch


def test_bytes_that_are_not_a_picture_are_counted_or_dead_lettered_and_the_capture_goes_on(server, here):
    with capturing(TAB, tolerant_settings(server)):
        add_picture(here, 0, b"\xff\xd8 no picture \xff\xd9")
        here.xadd(keys.inbox("tab"), {"a": "b"})
        dead = until(lambda: here.xrange(keys.dead("tab")))
        assert dead[0][1][b"reason"] == b"v: missing"
        until(lambda: here.xlen(keys.inbox("tab")) == 0)
        add_picture(here, 1)
        until(lambda: done(here))
        assert done(here)[0].id.frame == 1


def test_frames_are_published_for_viewers(server, here, clients):
    with capturing(TAB, tolerant_settings(server)), clients.blocking.pubsub(ignore_subscribe_messages=True) as viewer:
        viewer.subscribe(keys.frames("tab"))
        viewer.get_message(timeout=1)
        for frame in range(2):
            add_picture(here, frame)
            until(lambda frame=frame: len(done(here)) == frame + 1)
        messages = [until(lambda: viewer.get_message(timeout=1)) for _ in range(2)]
        header, jpeg = FrameHeader.decode(messages[-1]["data"])
        assert header.frame == 1
        shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape[:2] == (header.height, header.width)


def test_a_browser_that_left_is_offline_and_one_that_comes_back_is_online(server, here):
    with capturing(TAB, settings(server)):
        add_picture(here, 0)
        until(lambda: state(here, "ONLINE"))
        here.delete(LEASE)
        until(lambda: state(here, "OFFLINE", "the browser left"))
        here.set(LEASE, "a gateway")
        until(lambda: add_picture(here, 1, epoch="two") and state(here, "ONLINE"))
        until(lambda: state(here, "OFFLINE", "no frame for 1 s"))


def test_capture_continues_after_an_outage_of_redis(server, here):
    with capturing(TAB, settings(server)):
        add_picture(here, 0)
        until(lambda: state(here, "ONLINE"))
        server.kill()
        server.start()
        here.delete(keys.crops("tab"))
        here.set(LEASE, "a gateway")
        until(lambda: add_picture(here, 1, epoch="two") and done(here))
