"""The judgements of the faces of the last frames, so that each label is drawn on the frame that it belongs to."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from api_gateway.results.sinks import PartialSink, ProcessedReading
from contract.judgement import Judgement
from contract.messages import FrameHeader, FrameId
from contract.messages.erasure import ErasureScope

WAIT_SECONDS = 0.06
"""A frame arrives a little before the readings of its faces; waiting longer than one frame would slow the video."""
KEPT_FRAMES = 64
CARRIED_MS = 1000
"""A face without a reading of this frame keeps its last label for this long."""


@dataclass
class _AnnotatedFrame:
    captured_ms: int
    faces: dict[int, Judgement] = field(default_factory=dict)
    """By track."""


class FrameAnnotations(PartialSink):
    """The labels of the boxes of each source's last frames."""

    def __init__(self) -> None:
        self._frames: defaultdict[str, OrderedDict[tuple[str, int], _AnnotatedFrame]] = defaultdict(OrderedDict)
        """By source, then by epoch and frame."""
        self._changed = asyncio.Event()

    def reading(self, reading: ProcessedReading) -> None:
        message, judgement = reading.smoothed.reading, reading.smoothed.judgement
        if judgement is not None:
            self.add(message.id, message.captured_ms, message.face.track, judgement)

    def gone(self, source: str) -> None:
        self._frames.pop(source, None)

    def add(self, frame: FrameId, captured_ms: int, track: int, judgement: Judgement) -> None:
        """Add the judgement of one face of this frame."""
        frames = self._frames[frame.source]
        frames.setdefault((frame.epoch, frame.frame), _AnnotatedFrame(captured_ms)).faces[track] = judgement
        if len(frames) > KEPT_FRAMES:
            frames.popitem(last=False)
        self._changed.set()
        self._changed = asyncio.Event()

    def discard(self, scope: ErasureScope) -> None:
        """Drop the annotations of the frames of this scope."""
        for source, frames in self._frames.items():
            for name in [name for name, frame in frames.items() if scope.covers(source, frame.captured_ms)]:
                del frames[name]

    async def of_frame(self, header: FrameHeader) -> dict[int, Judgement]:
        """The judgements of the faces of a frame, by track; waits briefly for readings that are on their way.

        A face whose reading does not arrive in time has the last judgement of its track from the second before.
        """
        tracks = {face.track for face in header.faces}
        if any(self._latest(header, track) for track in tracks):  # no waiting while no worker classifies
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    while not tracks <= self._judgements(header).keys():
                        await self._changed.wait()
        return {track: judgement for track in tracks if (judgement := self._latest(header, track))}

    def _judgements(self, header: FrameHeader) -> dict[int, Judgement]:
        frame = self._of_source(header.source).get((header.epoch, header.frame))
        return frame.faces if frame else {}

    def _of_source(self, source: str) -> Mapping[tuple[str, int], _AnnotatedFrame]:
        return self._frames.get(source, {})

    def _latest(self, header: FrameHeader, track: int) -> Judgement | None:
        """The newest judgement of the track, up to this frame and at most a second old."""
        found = [
            (number, frame.faces[track])
            for (epoch, number), frame in self._of_source(header.source).items()
            if epoch == header.epoch
            and number <= header.frame
            and header.captured_ms - frame.captured_ms <= CARRIED_MS
            and track in frame.faces
        ]
        return max(found, key=lambda one: one[0])[1] if found else None
