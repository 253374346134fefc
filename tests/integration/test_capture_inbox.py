from pathlib import Path

import cv2
import numpy as np
import pytest

from capture_service.sources.spec import SourceSpec
from contract import keys
from contract.messages import Crop, Dead, FrameDone, InboxPicture, read_crop_entry
from tests.capture import capturing, entries, settings, status, until

UPLOADS = SourceSpec(keys.UPLOADS, "inbox", "")
FAR = 4_000_000_000_000


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
    assert (crop.id, crop.face.index, crop.deadline_ms) == (end.id, 0, FAR)
    assert (end.faces, end.width, end.height, end.note) == (1, 512, 600, "")


def test_a_picture_without_a_face_ends_with_none(server, clients):
    wall = cv2.imencode(".png", np.full((90, 120, 3), 128, np.uint8))[1].tobytes()
    with capturing(UPLOADS, settings(server)):
        add_picture(clients.commands, wall)
        end = until(lambda: done(clients.commands, "request-1"))
    assert (end.faces, end.width, end.height, end.note) == (0, 120, 90, "")


@pytest.mark.parametrize(
    ("picture", "deadline_ms", "reason"),
    [
        (b"no picture", FAR, "not a picture"),
        (b"", FAR, "empty"),
        (bytes(2000), FAR, "the most is 1000"),
        (b"GIF89a", FAR, "picture"),
        (b"no picture", 1, "waited too long"),
    ],
    ids=["text", "nothing", "too large", "half a GIF", "too late"],
)
def test_a_picture_that_cannot_be_read_gets_a_result_with_the_reason(server, clients, picture, deadline_ms, reason):
    with capturing(UPLOADS, settings(server, picture_max_bytes=1000)):
        add_picture(clients.commands, picture, "bad", deadline_ms)
        add_picture(clients.commands, b"", "next")
        end = until(lambda: done(clients.commands, "bad"))
        until(lambda: done(clients.commands, "next"))
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
