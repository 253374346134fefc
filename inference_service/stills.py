"""Faces that keep still: a live face that has hardly changed since it was classified keeps its reading for a moment."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.messages.fast_parse import ParsedCrop
from contract.model.normalisation import CROP_SIZE
from inference_service import metrics
from inference_service.engines.engine import Pixels, Probabilities
from inference_service.poison import IsolatingClassifier, Poison

MOST_CHANGED = 3.0
"""In gray levels, the mean over all pixels: up to here a face counts as unchanged. `benchmarks.stills` measures what
that costs."""
MOST_TRACKS = 1024

Verdict = Probabilities | Poison
Track = tuple[bytes, ...]


class Seen(NamedTuple):
    """What was classified last of a track."""

    captured_ms: int
    pixels: NDArray[np.int16]
    probabilities: Probabilities


class Stills:
    """Classifies crops, but not those of a live track that looks as it did when it was last classified.

    They are compared with the crop that was classified, never with one that was spared, so that slow changes add up.

    Args:
        isolation: classifies the others.
        for_ms: how long a reading may be used again, from picture to picture; 0 classifies every crop.
    """

    def __init__(self, isolation: IsolatingClassifier, for_ms: int = 0) -> None:
        self._isolation = isolation
        self._for_ms = for_ms
        self._seen: dict[Track, Seen] = {}

    def classify(self, crops: Sequence[ParsedCrop]) -> list[Verdict]:
        """The probabilities (labels,) of each crop, or why there are none.

        Raises:
            EngineBroken: as `Isolation.classify`.
        """
        if not self._for_ms:
            return self._run(crops)
        known = [self._recall(crop) for crop in crops]
        verdicts = iter(self._run([crop for crop, found in zip(crops, known, strict=True) if found is None]))
        metrics.REUSED.inc(sum(found is not None for found in known))
        return [
            self._remember(crop, next(verdicts)) if found is None else found
            for crop, found in zip(crops, known, strict=True)
        ]

    def _run(self, crops: Sequence[ParsedCrop]) -> list[Verdict]:
        with metrics.engine_time(len(crops)):
            return self._isolation.classify(_pixels(crops))

    def _recall(self, crop: ParsedCrop) -> Probabilities | None:
        seen = self._seen.get(_track(crop))
        if seen is None or not crop.deadline_ms or not 0 <= crop.captured_ms - seen.captured_ms <= self._for_ms:
            return None
        change = np.abs(_pixels([crop])[0] - seen.pixels).mean()
        return seen.probabilities if change <= MOST_CHANGED else None

    def _remember(self, crop: ParsedCrop, verdict: Verdict) -> Verdict:
        if crop.deadline_ms and not isinstance(verdict, Poison):
            track = _track(crop)
            self._seen.pop(track, None)  # so that the one at the front is the one not seen for longest
            self._seen[track] = Seen(crop.captured_ms, _pixels([crop])[0].astype(np.int16), verdict)
            if len(self._seen) > MOST_TRACKS:
                del self._seen[next(iter(self._seen))]
        return verdict


def _track(crop: ParsedCrop) -> Track:
    source, epoch, _, _, track, *_ = crop.values
    return source, epoch, track


def _pixels(crops: Sequence[ParsedCrop]) -> Pixels:
    """Shape (n, 48, 48)."""
    pixels = np.frombuffer(b"".join([crop.pixels for crop in crops]), np.uint8)
    return pixels.reshape(-1, CROP_SIZE, CROP_SIZE)
