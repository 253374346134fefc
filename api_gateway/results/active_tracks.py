"""The faces that are to be seen now: the latest steady reading of each track."""

from dataclasses import dataclass

from contract.judgement import Judgement
from contract.messages import Reading
from postprocessing.track_processor import SmoothedReading

FORGOTTEN_AFTER_MS = 2000

TrackKey = tuple[str, str, int]
"""Source, epoch, track."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face as it was seen last."""

    latest: Reading
    judgement: Judgement
    """What is told of it: the label is the steady one."""
    seen_ms: int
    """When its latest frame was taken, in Redis's time; for a job when it was read."""

    @property
    def key(self) -> TrackKey:
        return key_of(self.latest)

    @property
    def area(self) -> float:
        return self.latest.face.box[2] * self.latest.face.box[3]


class ActiveTracks:
    """All tracks of all sources."""

    def __init__(self) -> None:
        self._tracks: dict[TrackKey, Track] = {}

    def show(self, steady: SmoothedReading, seen_ms: int) -> Track | None:
        """Take in a track's next reading; None for a stale one, which shows nothing."""
        if steady.judgement is None:
            return None
        track = Track(steady.reading, steady.judgement, seen_ms)
        self._tracks[track.key] = track
        return track

    def forget(self, now_ms: int) -> None:
        """Drop the tracks that were not seen for 2 s."""
        self._tracks = {k: track for k, track in self._tracks.items() if _fresh(track, now_ms)}

    def of(self, source: str, now_ms: int) -> list[Track]:
        """The tracks of a source that were seen within the last 2 s, the most prominent (largest box) first."""
        found = [track for k, track in self._tracks.items() if k[0] == source and _fresh(track, now_ms)]
        return sorted(found, key=lambda track: track.area, reverse=True)

    def get(self, key: TrackKey, now_ms: int) -> Track | None:
        """The track, if it was seen within the last 2 s."""
        track = self._tracks.get(key)
        return track if track and _fresh(track, now_ms) else None


def key_of(reading: Reading) -> TrackKey:
    """Whose reading this is."""
    return reading.id.source, reading.id.epoch, reading.face.track


def _fresh(track: Track, now_ms: int) -> bool:
    return now_ms - track.seen_ms <= FORGOTTEN_AFTER_MS
