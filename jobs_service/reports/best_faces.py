"""The faces that a report shows, cut out of the recording."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract import events
from contract.model.preprocessing import cut as cut_square
from contract.model.preprocessing import framing_square
from jobs_service.reports.frames import Look, some_frames

MOST = 24
PIXELS = 176
"""Side of a picture: more than the page shows, for screens that show more."""
QUALITY = 88

Cut = dict[events.BestFace, bytes]
"""A face -> its JPEG; of a frame that cannot be read there is none."""


def choose(episodes: Sequence[events.Episode]) -> list[events.Episode]:
    """The episodes with the highest confidence at their peak, one a track and emotion, in the order of the tracks."""
    best: dict[tuple[int, str], events.Episode] = {}
    for one in sorted(episodes, key=_strength, reverse=True):
        best.setdefault((one.track, one.emotion), one)
    strongest = sorted(best.values(), key=_strength, reverse=True)[:MOST]
    return sorted(strongest, key=lambda one: (one.track, one.start_ms))


def cut_out(faces: Sequence[events.BestFace], spec: SourceSpec, settings: CaptureSettings, look: Look) -> Cut:
    """The pictures of these faces, a little more than the network sees of each.

    Raises:
        SourceError: the recording cannot be read any more.
    """
    wanted: dict[int, list[events.BestFace]] = {}
    for face in faces:
        wanted.setdefault(face.frame, []).append(face)
    cut: Cut = {}
    for frame in some_frames(spec, settings, set(wanted), look):
        if frame.picture is not None:
            for face in wanted[frame.number]:
                cut[face] = _jpeg(cut_square(frame.picture, framing_square(face.box)))
    return cut


def _jpeg(face: NDArray[np.uint8]) -> bytes:
    interpolation = cv2.INTER_AREA if face.shape[0] > PIXELS else cv2.INTER_CUBIC
    shown = cv2.resize(face, (PIXELS, PIXELS), interpolation=interpolation)
    _, jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()


def _strength(episode: events.Episode) -> tuple[float, int]:
    return episode.peak.confidence, episode.duration_ms
