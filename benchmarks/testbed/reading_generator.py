"""Generates frames and readings for a gateway, in place of a capture and a worker."""

import time
from threading import Event, Thread
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from contract import keys
from contract.judgement import Thresholds
from contract.messages import (
    Face,
    FrameDone,
    FrameFace,
    FrameHeader,
    FrameId,
    Quality,
    Reading,
    SourceStatus,
    WorkerStatus,
)
from contract.redis.broker import connect

LABELS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
PROBABILITIES = (0.01, 0.01, 0.01, 0.02, 0.9, 0.02, 0.02, 0.01)
THRESHOLDS = Thresholds(min_probability=0.5, min_margin=0.1, precision=0.9)
QUALITY = Quality(0.5, 0.8, 120.0, 0.1, 1.0)
WIDTH, HEIGHT = 640, 480
PICTURES = 8
SOURCE = "stage"


class ReadingGenerator:
    """A source of so many faces at so many frames a second, from `with` on.

    Args:
        url: of Redis.
        faces: on every frame.
        fps: frames a second.
    """

    def __init__(self, url: str, faces: int, fps: float) -> None:
        self.frames = 0
        """Sent so far."""
        self._client = connect(url, "cast").commands
        self._faces = faces
        self._every = 1 / fps
        self._epoch = f"e{time.monotonic_ns()}"
        self._pictures = [_picture(number) for number in range(PICTURES)]
        self._stop = Event()
        self._thread = Thread(target=self._play, daemon=True)

    def __enter__(self) -> "ReadingGenerator":
        self._register()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _play(self) -> None:
        due, registered = time.monotonic(), 0.0
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self._every
            if time.monotonic() - registered > 1:
                self._register()
                registered = time.monotonic()
            self._send()
            self.frames += 1

    def _now_ms(self) -> int:
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def _register(self) -> None:
        now_ms = self._now_ms()
        source = SourceStatus(
            name=SOURCE,
            kind="camera",
            state="ONLINE",
            since_ms=now_ms,
            seen_ms=now_ms,
            epoch=self._epoch,
            width=WIDTH,
            height=HEIGHT,
            fps=1 / self._every,
        )
        worker = WorkerStatus(consumer="w1", engine="none", model="stage@1.0.0", labels=LABELS, seen_ms=now_ms)
        self._client.hset(keys.SOURCES, SOURCE, source.model_dump_json())
        self._client.hset(keys.WORKERS, "w1", worker.model_dump_json())

    def _send(self) -> None:
        now_ms = self._now_ms()
        identity = FrameId(SOURCE, self._epoch, self.frames)
        faces = [self._face(index) for index in range(self._faces)]
        frame_faces = tuple(FrameFace(index=one.index, track=one.track, box=one.box, score=one.score) for one in faces)
        header = FrameHeader(
            source=SOURCE,
            epoch=self._epoch,
            frame=self.frames,
            captured_ms=now_ms,
            width=WIDTH,
            height=HEIGHT,
            faces=frame_faces,
        )
        previous = self.frames - 1 if self.frames else None
        done = FrameDone(identity, now_ms, len(faces), WIDTH, HEIGHT, previous=previous)
        pipeline = self._client.pipeline()
        pipeline.publish(keys.frames(SOURCE), header.encode(self._pictures[self.frames % PICTURES]))
        for face in faces:
            one = Reading(
                identity,
                face,
                now_ms,
                "stage@1.0.0",
                LABELS,
                PROBABILITIES,
                "w1",
                now_ms,
                now_ms,
                THRESHOLDS,
                now_ms,
            )
            pipeline.xadd(keys.results(SOURCE), dict[Any, Any](one.fields()), maxlen=2000, approximate=True)
        pipeline.xadd(keys.results(SOURCE), dict[Any, Any](done.fields()), maxlen=2000, approximate=True)
        pipeline.execute()

    def _face(self, index: int) -> Face:
        left = 20.0 + 150 * (index % 4) + self.frames % 5
        return Face(index, index, (left, 120.0, 120.0, 150.0), 0.9, QUALITY)


def _picture(number: int) -> bytes:
    """A JPEG about as large as one of a room: smooth, with some grain."""
    chance = np.random.default_rng(number)
    coarse = chance.integers(40, 220, (12, 16, 3), np.uint8)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = chance.normal(0, 2, picture.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 80]  # as a capture sends it
    return cv2.imencode(".jpg", np.clip(picture + grain, 0, 255).astype(np.uint8), quality)[1].tobytes()
