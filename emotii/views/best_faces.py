"""The faces that a report shows: of each track and emotion the best one, cut out of the recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from api_gateway import events
from capture_service.address import SourceSpec
from capture_service.settings import CaptureSettings
from contract.framing import show_face
from emotii.views.frames import Look, some_frames

MOST = 24
PIXELS = 168
"""Side of a picture: twice what the page shows, for screens that show more."""
QUALITY = 88


@dataclass(frozen=True, slots=True)
class BestFace:
    """A face and the episode that it is of."""

    episode: events.Episode
    jpeg: bytes


def choose(episodes: Sequence[events.Episode]) -> list[events.Episode]:
    """The episodes with the highest confidence at their peak, one a track and emotion, in the order of their times."""
    best: dict[tuple[int, str], events.Episode] = {}
    for one in sorted(episodes, key=_strength, reverse=True):
        best.setdefault((one.track, one.emotion), one)
    strongest = sorted(best.values(), key=_strength, reverse=True)[:MOST]
    return sorted(strongest, key=lambda one: (one.track, one.start_ms))


def cut_out(
    episodes: Sequence[events.Episode], spec: SourceSpec, settings: CaptureSettings, look: Look
) -> list[BestFace]:
    """The best face of each, upright where the points of the face are known; those of frames that cannot be read fail.

    Raises:
        SourceError: the recording cannot be read any more.
    """
    wanted: dict[int, list[events.Episode]] = {}
    for one in episodes:
        wanted.setdefault(one.best_face.frame, []).append(one)
    found: dict[str, BestFace] = {}
    for frame in some_frames(spec, settings, set(wanted), look):
        for one in wanted[frame.number]:
            if frame.picture is not None:
                face = show_face(frame.picture, one.best_face.box, None, PIXELS)
                _, jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
                found[one.id] = BestFace(one, jpeg.tobytes())
    return [found[one.id] for one in episodes if one.id in found]


def _strength(episode: events.Episode) -> tuple[float, int]:
    return episode.peak.confidence, episode.duration_ms
