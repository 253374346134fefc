"""Generates frames with crops on the streams of several sources, in place of a capture."""

import time
from typing import Any

import numpy as np
import redis

from benchmarks.testbed.testbed import until
from contract import keys
from contract.messages import Crop, CropEntry, Face, FrameDone, FrameId, Quality, SourceKind, SourceStatus
from contract.model.normalisation import CROP_BYTES

QUALITY = Quality(0.5, 0.8, 120.0, 0.1, 1.0)
CROPS_AT_ONCE = 500
OUTCOMES_SECONDS = 600.0
ANNOUNCE_SECONDS = 1.0


class CropGenerator:
    """Sources that send frames on demand.

    Args:
        client: of Redis.
        sources: the number of sources.
        faces: per frame.
        kind: with "job" all results are kept; with "camera" they are trimmed.
    """

    def __init__(self, client: redis.Redis, *, sources: int = 1, faces: int = 4, kind: SourceKind = "job") -> None:
        begun = time.monotonic_ns()
        self.names = tuple(f"{begun}-{number}" for number in range(sources))  # unique across generators
        self._client = client
        self._faces = faces
        self._kind = kind
        self._epoch = f"e{begun}"
        self._frame = 0
        chance = np.random.default_rng(0)
        self._pixels = [chance.integers(0, 256, CROP_BYTES, np.uint8).tobytes() for _ in range(64)]
        self._announced = float("-inf")

    def announce(self) -> None:
        """Renew the status of the sources about once a second, because workers remove others."""
        if time.monotonic() - self._announced < ANNOUNCE_SECONDS:
            return
        now_ms = self.now_ms()
        for order, name in enumerate(self.names):
            status = SourceStatus(
                name=name, kind=self._kind, order=order, state="ONLINE", since_ms=now_ms, seen_ms=now_ms
            )
            self._client.hset(keys.SOURCES, name, status.model_dump_json())
        self._announced = time.monotonic()

    def now_ms(self) -> int:
        """The clock of Redis."""
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def send(self, crops: int) -> int:
        """Send whole frames, each of the next source, until at least `crops` are sent; returns their number."""
        sent = 0
        pipeline = self._client.pipeline(transaction=False)
        while sent < crops:
            name = self.names[self._frame % len(self.names)]
            for entry in self._entries(name):
                pipeline.xadd(keys.crops(name), entry)
            sent += self._faces
            self._frame += 1
            if len(pipeline) >= CROPS_AT_ONCE or sent >= crops:
                pipeline.execute()
                self.announce()
        return sent

    def left(self) -> int:
        """The number of entries without an outcome."""
        pipeline = self._client.pipeline(transaction=False)
        for name in self.names:
            pipeline.xlen(keys.crops(name))
        return sum(pipeline.execute())

    def await_outcomes(self) -> None:
        """Wait until every entry has its outcome."""

        def done() -> bool:
            self.announce()
            return not self.left()

        until(done, OUTCOMES_SECONDS, "outcomes of all crops")

    def clear(self) -> None:
        """Remove the results. The empty crops streams stay, because workers wait on them."""
        self._client.delete(*map(keys.results, self.names), *map(keys.dead, self.names))

    def deregister(self) -> None:
        """Remove the results, and the sources from the registry."""
        self.clear()
        self._client.hdel(keys.SOURCES, *self.names)

    def _entries(self, name: str) -> list[dict[Any, Any]]:
        """The entries of a frame: its crops and its end."""
        at, now_ms = FrameId(name, self._epoch, self._frame), 1000 + self._frame
        entries: list[CropEntry] = [
            Crop(at, self._face(index), now_ms, 0, self._pixels[(self._frame + index) % len(self._pixels)])
            for index in range(self._faces)
        ]
        entries.append(FrameDone(at, now_ms, self._faces, 640, 480))
        return [dict(entry.fields()) for entry in entries]

    def _face(self, index: int) -> Face:
        return Face(index, index, (20.0 + 9 * index, 120.0, 120.0, 150.0), 0.9, QUALITY)
