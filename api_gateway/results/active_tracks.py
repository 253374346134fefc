"""The faces that are visible now: the latest smoothed reading of each track."""

from dataclasses import dataclass

from api_gateway.results.sinks import PartialSink, ProcessedReading
from contract.judgement import Judgement
from contract.messages import Reading

ACTIVE_MS = 2000

TrackKey = tuple[str, str, int]
"""Source, epoch, track."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face as it was last seen."""

    latest: Reading
    judgement: Judgement
    """With the smoothed label."""
    seen_ms: int
    """When its latest frame was captured, in Redis's time; for a recording when its result arrived."""

    @property
    def key(self) -> TrackKey:
        return track_key(self.latest)

    @property
    def area(self) -> float:
        return self.latest.face.box[2] * self.latest.face.box[3]


class ActiveTracks(PartialSink):
    """The tracks of all sources, each for two seconds after its latest reading."""

    def __init__(self) -> None:
        self._tracks: dict[TrackKey, Track] = {}

    def reading(self, reading: ProcessedReading) -> None:
        """Take a track's next reading; a stale one shows nothing."""
        smoothed = reading.smoothed
        if smoothed.judgement is not None:
            track = Track(smoothed.reading, smoothed.judgement, reading.seen_ms)
            self._tracks[track.key] = track

    def prune(self, now_ms: int) -> None:
        """Drop the tracks that were not seen for two seconds."""
        self._tracks = {key: track for key, track in self._tracks.items() if _is_active(track, now_ms)}

    def of(self, source: str, now_ms: int) -> list[Track]:
        """The active tracks of a source, the most prominent (with the largest box) first."""
        found = [track for key, track in self._tracks.items() if key[0] == source and _is_active(track, now_ms)]
        return sorted(found, key=lambda track: track.area, reverse=True)

    def get(self, key: TrackKey, now_ms: int) -> Track | None:
        """The track, if it is active."""
        track = self._tracks.get(key)
        return track if track and _is_active(track, now_ms) else None


def track_key(reading: Reading) -> TrackKey:
    """Whose reading this is."""
    return reading.id.source, reading.id.epoch, reading.face.track


def _is_active(track: Track, now_ms: int) -> bool:
    return abs(now_ms - track.seen_ms) <= ACTIVE_MS  # later: it was seen before Redis's clock was set back
