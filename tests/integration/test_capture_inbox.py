import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture_service.sources.spec import SourceSpec
from contract import keys
from contract.messages import Crop, Dead, FrameDone, InboxPicture, read_crop_entry
from contract.messages.inbox import LOADING
from tests.capture import capturing, entries, settings, status, until

UPLOADS = SourceSpec(keys.UPLOADS, "inbox", "")
FAR = 4_000_000_000_000
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")


@pytest.fixture(scope="module")
def portrait():
    mpl = pytest.importorskip("matplotlib")
    return Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg").read_bytes()


def add_picture(client, picture, epoch="request-1", deadline_ms=FAR):
    fields = InboxPicture(epoch, 0, 1_700_000_000_000, deadline_ms, picture).fields()
    return client.xadd(keys.inbox(keys.UPLOADS), fields)


def done(client, epoch):
    """The "frame done" of a request, None while there is none."""
    return next((e for e in entries(client, keys.UPLOADS) if isinstance(e, FrameDone) and e.id.epoch == epoch), None)


def test_a_picture_becomes_its_crops_and_then_frame_done(any_server, any_clients, portrait):
    client = any_clients.commands
    add_picture(client, portrait)  # before a process reads the inbox

    with capturing(UPLOADS, settings(any_server, detector="blazeface")):
        end = until(lambda: done(client, "request-1"))
        until(lambda: client.xlen(keys.inbox(keys.UPLOADS)) == 0)
        crop, last = entries(client, keys.UPLOADS)

    assert last is end or last == end
    assert isinstance(crop, Crop)
    assert (crop.id, crop.face.index) == (end.id, 0)
    assert crop.deadline_ms >= FAR
    assert (end.faces, end.width, end.height, end.note) == (1, 512, 600, "")


def test_a_picture_without_a_face_ends_with_none(server, clients):
    wall = cv2.imencode(".png", np.full((90, 120, 3), 128, np.uint8))[1].tobytes()
    with capturing(UPLOADS, settings(server)):
        add_picture(clients.commands, wall)
        end = until(lambda: done(clients.commands, "request-1"))
    assert (end.faces, end.width, end.height, end.note) == (0, 120, 90, "")


def test_a_picture_that_cannot_be_read_gets_a_result_with_the_reason(server, clients):
    bad = {
        "text": (b"no picture", FAR, "not a picture"),
        "nothing": (b"", FAR, "empty"),
        "too-large": (bytes(2000), FAR, "the most is 1000"),
        "half-a-gif": (b"GIF89a", FAR, "picture"),
        "too-late": (b"no picture", 1, "waited too long"),
    }
    with capturing(UPLOADS, settings(server, picture_max_bytes=1000)):
        for epoch, (picture, deadline_ms, _) in bad.items():
            add_picture(clients.commands, picture, epoch, deadline_ms)
        add_picture(clients.commands, b"", "next")
        until(lambda: done(clients.commands, "next"))
        for epoch, (_, _, reason) in bad.items():
            end = done(clients.commands, epoch)
            assert (end.faces, end.width, end.height) == (0, 0, 0)
            assert reason in end.note


def test_a_malformed_entry_is_dead_lettered_with_its_reason(server, clients):
    client = clients.commands
    with capturing(UPLOADS, settings(server)):
        client.xadd(keys.inbox(keys.UPLOADS), {"v": "2", "picture": bytes(100)})
        add_picture(client, b"", "next")
        until(lambda: done(client, "next"))
    ((_, fields),) = client.xrange(keys.dead(keys.UPLOADS))
    assert Dead.read(fields).reason.startswith("v:")
    assert client.xpending(keys.inbox(keys.UPLOADS), keys.CAPTURE_GROUP)["pending"] == 0


def left_by_a_dead_process(client, picture, times):
    add_picture(client, picture)
    stream = keys.inbox(keys.UPLOADS)
    client.xgroup_create(stream, keys.CAPTURE_GROUP, id="0")
    client.xreadgroup(keys.CAPTURE_GROUP, "capture", {stream: ">"})
    for _ in range(times - 1):
        client.xreadgroup(keys.CAPTURE_GROUP, "capture", {stream: "0"})


def test_a_pending_picture_of_a_dead_process_is_processed_by_the_next(any_server, any_clients, portrait):
    left_by_a_dead_process(any_clients.commands, portrait, times=1)
    with capturing(UPLOADS, settings(any_server)):
        assert until(lambda: done(any_clients.commands, "request-1")).note == ""
        until(lambda: any_clients.commands.xlen(keys.inbox(keys.UPLOADS)) == 0)


def test_a_picture_that_ended_three_processes_is_abandoned_with_the_reason(any_server, any_clients, portrait):
    left_by_a_dead_process(any_clients.commands, portrait, times=3)
    with capturing(UPLOADS, settings(any_server)):
        assert "given up after 3 attempts" in until(lambda: done(any_clients.commands, "request-1")).note
        until(lambda: any_clients.commands.xlen(keys.inbox(keys.UPLOADS)) == 0)


def test_the_group_is_created_again_after_everything_was_erased(server, clients):
    client = clients.commands
    with capturing(UPLOADS, settings(server)):
        until(lambda: status(client, keys.UPLOADS))
        client.flushall()
        add_picture(client, b"", "after")
        until(lambda: done(client, "after"))
        until(lambda: status(client, keys.UPLOADS))


def test_the_tracks_of_a_picture_do_not_affect_a_later_one(server, clients, portrait):
    with capturing(UPLOADS, settings(server, detector="blazeface")):
        for epoch in ("one", "two"):
            add_picture(clients.commands, portrait, epoch)
            until(lambda epoch=epoch: done(clients.commands, epoch))
    tracks = [read_crop_entry(fields) for _, fields in clients.commands.xrange(keys.crops(keys.UPLOADS))]
    assert len({entry.face.track for entry in tracks if isinstance(entry, Crop)}) == 2


def decoders():
    """The processes that decode pictures for a capture in this process."""
    pids = [int(pid) for one in Path("/proc/self/task").glob("*/children") for pid in one.read_text().split()]
    return [pid for pid in pids if b"picture_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def add_now(client, picture, epoch, seconds):
    """Add a picture whose deadline is so many seconds from now."""
    now_ms = int(time.time() * 1000)
    client.xadd(keys.inbox(keys.UPLOADS), InboxPicture(epoch, 0, now_ms, now_ms + seconds * 1000, picture).fields())
    return now_ms


@pytest.mark.long
@needs_proc
def test_a_picture_that_hangs_its_decoder_is_given_up_at_its_deadline_and_the_next_ones_are_decoded(
    server, clients, portrait
):
    client = clients.commands
    with capturing(UPLOADS, settings(server, detector="blazeface")):
        add_picture(client, portrait, "first")
        until(lambda: done(client, "first"))
        (hanging,) = decoders()
        os.kill(hanging, signal.SIGSTOP)  # no code of it runs any more, as in a decoder that never returns
        add_now(client, portrait, "hangs", 2)
        add_picture(client, portrait, "next")
        assert until(lambda: done(client, "hangs")).note == "decoding it took longer than 2 s"
        assert until(lambda: done(client, "next")).faces == 1
        assert hanging not in decoders()

        os.kill(decoders()[0], signal.SIGSEGV)
        add_picture(client, portrait, "crash")
        add_picture(client, portrait, "last")
        assert until(lambda: done(client, "crash"))
        assert until(lambda: done(client, "last")).faces == 1
    assert decoders() == []


@needs_proc
def test_the_deadline_of_the_first_picture_begins_when_its_decoder_is_ready(server, clients, portrait):
    client = clients.commands
    with capturing(UPLOADS, settings(server, detector="blazeface")):
        until(lambda: status(client, keys.UPLOADS))
        sent_ms = add_now(client, portrait, "first", 1)
        loading = until(decoders)
        os.kill(loading[0], signal.SIGSTOP)  # a machine that is busy elsewhere
        until(lambda: status(client, keys.UPLOADS).reason == LOADING)
        time.sleep(2)
        os.kill(loading[0], signal.SIGCONT)
        end = until(lambda: done(client, "first"))
        assert (end.note, end.faces) == ("", 1)
        (crop,) = [entry for entry in entries(client, keys.UPLOADS) if isinstance(entry, Crop)]
        assert crop.deadline_ms > sent_ms + 2900
        assert status(client, keys.UPLOADS).reason == ""
