import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from api_gateway.errors import describe
from api_gateway.uploads import predictions
from api_gateway.uploads.predictions import BYTES_LIMIT, Predictions
from contract import keys
from contract.errors import EmotiiError
from contract.messages import Dead, FrameDone, FrameId, InboxPicture
from contract.messages.inbox import LOADING
from contract.redis.clock import RedisClock
from tests.stage import reading


class Inbox:
    """Redis, as far as a picture needs it."""

    def __init__(self):
        self.pictures = {}
        self.came = asyncio.Event()

    async def xlen(self, _key):
        return len(self.pictures)

    async def xadd(self, _key, fields):
        entry = b"%d-0" % (len(self.pictures) + 1)
        self.pictures[entry] = InboxPicture.read(fields)
        self.came.set()
        return entry

    async def xdel(self, _key, entry):
        del self.pictures[entry]


class Registry:
    reachable = True

    def sources(self):
        return [SimpleNamespace(name=keys.UPLOADS, state="ONLINE")]

    loads = False

    def find(self, _name):
        return SimpleNamespace(reason=LOADING if self.loads else "")

    def workers(self):
        return ["one"]


def play(scene, timeout=timedelta(seconds=20), registry=None):
    async def run():
        inbox = Inbox()
        await scene(Predictions(inbox, registry or Registry(), RedisClock(), timeout), inbox)

    asyncio.run(run())


async def under_way(its_uploads, inbox, picture=b"picture"):
    inbox.came.clear()
    task = asyncio.create_task(its_uploads.predict(picture))
    await asyncio.wait_for(inbox.came.wait(), 5)
    return task, list(inbox.pictures.values())[-1].epoch


def done(epoch, faces):
    return FrameDone(FrameId(keys.UPLOADS, epoch, 0), 1, faces, 10, 10)


async def refused(task):
    with pytest.raises(EmotiiError) as raised:
        await asyncio.wait_for(task, 5)
    return describe(raised.value)


def test_a_dead_lettered_face_is_reported_at_once_with_the_reason():
    async def scene(its_uploads, inbox):
        task, epoch = await under_way(its_uploads, inbox)
        its_uploads.process(done(epoch, 2))
        its_uploads.process(reading(keys.UPLOADS, 0, epoch=epoch))
        dead = reading(keys.UPLOADS, 0, epoch=epoch, index=1)
        its_uploads.dead_letter(Dead("1-0", "the engine failed on it", dead.fields()))
        error = await refused(task)
        assert (error.status, error.code) == (422, "unclassifiable_face")
        assert "the engine failed on it" in error.message

    play(scene)


def test_dead_letters_of_other_or_unknown_uploads_change_nothing():
    async def scene(its_uploads, inbox):
        task, epoch = await under_way(its_uploads, inbox)
        its_uploads.dead_letter(Dead("1-0", "why", reading(keys.UPLOADS, 0, epoch="another").fields()))
        its_uploads.dead_letter(Dead("1-0", "why", {}))
        its_uploads.process(done(epoch, 0))
        frame, readings = await asyncio.wait_for(task, 5)
        assert (frame.width, readings) == (10, [])

    play(scene)


def test_pending_pictures_are_limited_by_their_bytes(monkeypatch):
    monkeypatch.setattr(predictions, "BYTES_LIMIT", 1000)

    async def scene(its_uploads, inbox):
        first, epoch = await under_way(its_uploads, inbox, b"x" * 1500)  # alone it may be larger
        assert (await refused(its_uploads.predict(b"y"))).code == "busy"
        its_uploads.process(done(epoch, 0))
        await first
        small, _ = await under_way(its_uploads, inbox, b"x" * 600)
        other, _ = await under_way(its_uploads, inbox, b"x" * 400)
        error = await refused(its_uploads.predict(b"x"))
        assert (error.status, error.code) == (503, "busy")
        small.cancel()
        other.cancel()
        await asyncio.wait({small, other})
        again, _ = await under_way(its_uploads, inbox, b"x" * 1000)
        again.cancel()

    play(scene)


def test_a_full_inbox_of_the_largest_pictures_leaves_room_in_a_small_redis():
    assert BYTES_LIMIT + 10_000_000 < 512_000_000 / 4


def test_a_picture_whose_client_left_takes_no_memory_in_redis():
    async def scene(its_uploads, inbox):
        assert (await refused(its_uploads.predict(b"picture"))).code == "timeout"
        assert inbox.pictures == {}

    play(scene, timedelta(milliseconds=50))


def test_the_deadline_of_a_picture_begins_when_the_capture_service_has_loaded_its_detector():
    registry = Registry()
    registry.loads = True

    async def scene(its_uploads, inbox):
        task, epoch = await under_way(its_uploads, inbox)
        await asyncio.sleep(1.5)
        assert not task.done(), "three times the timeout have passed, and the detector is still loading"
        registry.loads = False
        its_uploads.process(done(epoch, 0))
        frame, _ = await asyncio.wait_for(task, 5)
        assert frame.id.epoch == epoch
        task, _ = await under_way(its_uploads, inbox)
        assert (await refused(task)).code == "timeout"

    play(scene, timedelta(seconds=0.5), registry)
