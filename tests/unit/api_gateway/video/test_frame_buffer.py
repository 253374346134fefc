"""Finding the frame of a reading."""

import asyncio
import time
from types import SimpleNamespace

from api_gateway.video.frame_buffer import FrameBuffer
from contract import keys
from contract.messages import FrameHeader, FrameId


class Channel:
    """Delivers the frames with these numbers, then nothing."""

    def __init__(self, *numbers):
        header = {"source": "front", "epoch": "e1", "captured_ms": 1, "width": 4, "height": 4, "faces": ()}
        self._payloads = [FrameHeader(frame=number, **header).encode(b"jpeg") for number in numbers]

    async def subscribe(self, *_channels):
        pass

    async def get_message(self, timeout):  # noqa: ASYNC109 - as redis-py has it
        if not self._payloads:
            return None
        return {"type": "message", "channel": keys.frames("front").encode(), "data": self._payloads.pop(0)}


async def frames_of(*numbers):
    channel = Channel(*numbers)
    frames = FrameBuffer(SimpleNamespace(blocking=SimpleNamespace(pubsub=lambda **_: channel)))
    frames.saved_from = frozenset({"front"})
    for _ in numbers:
        await frames.listen()
    return frames


def test_find_does_not_wait_for_a_frame_once_a_later_one_has_arrived():
    async def find():
        frames = await frames_of(7, 9)
        started = time.monotonic()
        found = [await frames.find(FrameId("front", "e1", number), 30) for number in (6, 7, 8, 9)]
        return [frame and frame.header.frame for frame in found], time.monotonic() - started

    found, seconds = asyncio.run(find())
    assert found == [None, 7, None, 9]
    assert seconds < 10


def test_find_waits_for_a_future_frame_and_for_one_of_another_epoch():
    async def find(epoch, number):
        frames = await frames_of(7)
        started = time.monotonic()
        return await frames.find(FrameId("front", epoch, number), 0.2), time.monotonic() - started

    for epoch, number in (("e1", 8), ("e2", 3)):
        found, seconds = asyncio.run(find(epoch, number))
        assert found is None
        assert seconds >= 0.19
