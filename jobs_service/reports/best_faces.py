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
from jobs_service.reports.frames import FrameCallback, read_frames

MAX_EPISODES = 24
PIXELS = 176
"""Side of a picture: more than the page shows, for high-resolution screens."""
QUALITY = 88

FacePictures = dict[events.BestFace, bytes]
"""Face -> JPEG. Faces of frames that cannot be read are absent."""


def strongest_episodes(episodes: Sequence[events.Episode]) -> list[events.Episode]:
    """The episodes with the highest peak confidence, at most one per track and emotion, by track and start."""
    best: dict[tuple[int, str], events.Episode] = {}
    for one in sorted(episodes, key=_strength, reverse=True):
        best.setdefault((one.track, one.emotion), one)
    strongest = sorted(best.values(), key=_strength, reverse=True)[:MAX_EPISODES]
    return sorted(strongest, key=lambda one: (one.track, one.start_ms))


def cut_faces(
    faces: Sequence[events.BestFace], spec: SourceSpec, settings: CaptureSettings, on_frame: FrameCallback
) -> FacePictures:
    """The pictures of these faces; each shows a little more than the network sees.

    Raises:
        SourceError: the recording cannot be read any more.
    """
    by_frame: dict[int, list[events.BestFace]] = {}
    for face in faces:
        by_frame.setdefault(face.frame, []).append(face)
    pictures: FacePictures = {}
    for frame in read_frames(spec, settings, set(by_frame), on_frame):
        if frame.picture is not None:
            for face in by_frame[frame.number]:
                pictures[face] = _jpeg(cut_square(frame.picture, framing_square(face.box)))
    return pictures


def _jpeg(face: NDArray[np.uint8]) -> bytes:
    interpolation = cv2.INTER_AREA if face.shape[0] > PIXELS else cv2.INTER_CUBIC
    scaled = cv2.resize(face, (PIXELS, PIXELS), interpolation=interpolation)
    _, jpeg = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()


def _strength(episode: events.Episode) -> tuple[float, int]:
    return episode.peak.confidence, episode.duration_ms
