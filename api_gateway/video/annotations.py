"""What was told of the faces of the last frames, so that words are drawn on the frame that they belong to."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from api_gateway.results.sinks import PartialSink, ProcessedReading
from contract.judgement import Judgement
from contract.messages import FrameHeader, FrameId

WAIT_SECONDS = 0.06
"""A frame comes a little before the readings of its faces; more than one frame's time would slow the video."""
KEPT_FRAMES = 64
CARRIED_MS = 1000
"""A face without a reading of this frame keeps its last words for so long."""


@dataclass
class _Told:
    """Of one frame, by track."""

    captured_ms: int
    faces: dict[int, Judgement] = field(default_factory=dict)


class FrameAnnotations(PartialSink):
    """The words for the boxes of each source's last frames."""

    def __init__(self) -> None:
        self._told: defaultdict[str, OrderedDict[tuple[str, int], _Told]] = defaultdict(OrderedDict)
        self._news = asyncio.Event()

    def reading(self, reading: ProcessedReading) -> None:
        message, judgement = reading.smoothed.reading, reading.smoothed.judgement
        if judgement is not None:
            self.add(message.id, message.captured_ms, message.face.track, judgement)

    def gone(self, source: str) -> None:
        self.forget(source)

    def add(self, frame: FrameId, captured_ms: int, track: int, judgement: Judgement) -> None:
        """A face of this frame was read."""
        frames = self._told[frame.source]
        frames.setdefault((frame.epoch, frame.frame), _Told(captured_ms)).faces[track] = judgement
        if len(frames) > KEPT_FRAMES:
            frames.popitem(last=False)
        self._news.set()
        self._news = asyncio.Event()

    def forget(self, source: str | None) -> None:
        """Nothing is to be known of this source, or of any."""
        if source is None:
            self._told.clear()
        else:
            self._told.pop(source, None)

    async def of(self, header: FrameHeader) -> dict[int, Judgement]:
        """What was told of the faces of a frame, by track; waits a moment for those that are being read.

        A face whose reading does not come in time has what was told of its track within the second before.
        """
        tracks = {face.track for face in header.faces}
        if any(self._last(header, track) for track in tracks):  # nobody is waited for while nobody reads
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    while not tracks <= self._of(header).keys():
                        await self._news.wait()
        return {track: judgement for track in tracks if (judgement := self._last(header, track))}

    def _of(self, header: FrameHeader) -> dict[int, Judgement]:
        told = self._frames(header.source).get((header.epoch, header.frame))
        return told.faces if told else {}

    def _frames(self, source: str) -> Mapping[tuple[str, int], _Told]:
        return self._told.get(source, {})

    def _last(self, header: FrameHeader, track: int) -> Judgement | None:
        """The newest that was told of the track, up to this frame and within a second."""
        found = [
            (frame, told.faces[track])
            for (epoch, frame), told in self._frames(header.source).items()
            if epoch == header.epoch
            and frame <= header.frame
            and header.captured_ms - told.captured_ms <= CARRIED_MS
            and track in told.faces
        ]
        return max(found, key=lambda one: one[0])[1] if found else None
