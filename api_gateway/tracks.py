"""The faces that are to be seen now: one smoothed state a track."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from api_gateway.smoothing import Probabilities, Smoothing
from contract.judgement import Judgement, judge
from contract.messages import Reading

FORGOTTEN_AFTER_MS = 2000
REMEMBERED_CROPS = 20_000
"""How many crop ids are kept to drop repeats: more than come in between a crash of Redis and its data being back."""

TrackKey = tuple[str, str, int]
"""Source, epoch, track."""


@dataclass
class Track:
    """One face over time."""

    latest: Reading
    smoothing: Smoothing
    seen_ms: int
    """When its latest frame was taken, in Redis's time; for a job when it was read."""

    @property
    def key(self) -> TrackKey:
        return key_of(self.latest)

    @property
    def smoothed(self) -> Probabilities:
        return self.smoothing.probabilities

    @property
    def judgement(self) -> Judgement:
        """What the smoothed probabilities support."""
        return judge(self.smoothed, self.latest.thresholds)

    @property
    def area(self) -> float:
        return self.latest.face.box[2] * self.latest.face.box[3]


class Tracks:
    """All tracks of all sources.

    Args:
        constant: time constant of the smoothing.
    """

    def __init__(self, constant: timedelta) -> None:
        self._constant = constant
        self._tracks: dict[TrackKey, Track] = {}
        self._crops: OrderedDict[str, None] = OrderedDict()

    def is_repeat(self, reading: Reading) -> bool:
        """Whether this crop's outcome came before; from now on it did."""
        if reading.crop_id in self._crops:
            return True
        self._crops[reading.crop_id] = None
        if len(self._crops) > REMEMBERED_CROPS:
            self._crops.popitem(last=False)
        return False

    def follow(self, reading: Reading, seen_ms: int) -> Track | None:
        """Take a classified reading into its track; None if a later frame of the track came before."""
        track = self._tracks.get(key_of(reading))
        if track is None:
            track = self._tracks[key_of(reading)] = Track(reading, Smoothing(self._constant), seen_ms)
        elif reading.id.frame <= track.latest.id.frame:
            return None
        track.smoothing.add(dict(zip(reading.labels, reading.probabilities, strict=True)), reading.captured_ms)
        track.latest, track.seen_ms = reading, max(seen_ms, track.seen_ms)
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
