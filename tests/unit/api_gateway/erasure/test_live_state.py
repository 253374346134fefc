"""What an erasure discards of the live state, and what it leaves."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from api_gateway.erasure.live_state import LiveState
from api_gateway.faces.saver import FaceSaver
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.processor import ResultProcessor
from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import FrameBuffer
from contract import keys
from contract.messages import FrameDone, FrameHeader
from contract.messages.erasure import ErasureScope
from contract.redis.broker import connect_async
from contract.redis.clock import RedisClock
from postprocessing.parameters import SmoothingParameters
from tests.stage import reading

NOW = 1_800_000_000_000
HOUR = 3_600_000


class Frames:
    """Delivers one frame for each of these times."""

    def __init__(self, *captured_ms):
        header = {"source": "front", "epoch": "e1", "width": 640, "height": 360, "faces": ()}
        self._payloads = [
            FrameHeader(frame=number, captured_ms=at, **header).encode(b"jpeg") for number, at in enumerate(captured_ms)
        ]

    async def subscribe(self, *_channels):
        pass

    async def get_message(self, timeout):  # noqa: ASYNC109 - as redis-py has it
        return {"type": "message", "channel": keys.frames("front").encode(), "data": self._payloads.pop(0)}


class Parts:
    """The parts of a gateway that hold live state; all of them are real but the history."""

    def __init__(self, *captured_ms):
        clock = RedisClock(wall=lambda: NOW / 1000, monotonic=lambda: 0.0)
        channel = Frames(*captured_ms)
        self.frames = FrameBuffer(SimpleNamespace(blocking=SimpleNamespace(pubsub=lambda **_: channel)))
        self.frames.saved_from = frozenset({"front"})
        self.annotations = FrameAnnotations()
        self.saver = FaceSaver(
            SimpleNamespace(frames=self.frames),
            None,
            SimpleNamespace(is_leader=True),
            None,
            settings=SimpleNamespace(current=SimpleNamespace(saving=True)),
            every=timedelta(0),
        )
        erased = ErasedScopes()
        sinks = (self.annotations, self.saver)
        self.processor = ResultProcessor(
            connect_async("redis://127.0.0.1:1/0", "test").commands,
            clock,
            SmoothingParameters(),
            erased=erased,
            sinks=sinks,
            backfill=self.annotations,
            is_recorded=lambda _source: False,
        )
        history = SimpleNamespace(discard=lambda _scope: None)
        self.state = LiveState(clock, erased, self.frames, self.annotations, self.processor, self.saver, history)
        self.processor.follow("front", None)

    def process(self, *outcomes):
        for outcome in outcomes:
            self.processor.process("front", b"%d-0" % NOW, outcome)

    def annotated(self):
        return [frame for _epoch, frame in self.annotations._of_source("front")]

    def queued(self):
        return self.saver._queue.qsize()


def front_reading(frame, captured_ms):
    return reading(frame=frame, captured_ms=captured_ms)


def whole_frame(frame, captured_ms):
    message = front_reading(frame, captured_ms)
    return message, FrameDone(message.id, captured_ms, 1, 640, 360)


async def discarded(parts, scope, frames=0):
    for _ in range(frames):
        await parts.frames.listen()
    await parts.state.discard(scope)


@pytest.mark.parametrize(("scope", "kept"), [(ErasureScope(to_ms=NOW - HOUR), [1]), (ErasureScope(to_ms=NOW), [])])
def test_an_erasure_discards_the_frames_annotations_and_queued_faces_of_its_span_alone(scope, kept):
    async def erase():
        parts = Parts(NOW - 2 * HOUR, NOW - 100)
        parts.process(*whole_frame(0, NOW - 2 * HOUR), *whole_frame(1, NOW - 100))
        assert (parts.annotated(), parts.queued()) == ([0, 1], 2)
        await discarded(parts, scope, frames=2)
        held = [frame.header.frame for frame in parts.frames._kept["front"]]
        assert (held, parts.annotated(), parts.queued()) == (kept, kept, len(kept))

    asyncio.run(erase())


def test_an_erasure_discards_what_the_readings_leave_that_had_waited_for_their_place():
    async def erase():
        parts = Parts()
        parts.process(front_reading(0, NOW - 100))
        assert (parts.annotated(), parts.queued()) == ([], 0)
        await discarded(parts, ErasureScope(source="front", to_ms=NOW))
        assert (parts.annotated(), parts.queued()) == ([], 0)

    asyncio.run(erase())
