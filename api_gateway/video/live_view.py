"""What is to be seen now: sources, their frames, and the faces on them."""

from dataclasses import dataclass

from api_gateway.results.active_tracks import ActiveTracks, Track, TrackKey
from api_gateway.sources.registry import Registry
from api_gateway.video.frame_buffer import FrameBuffer
from contract.redis.clock import RedisClock


@dataclass(frozen=True)
class LiveView:
    """The parts that are kept up to date by the readers, for those that show and save."""

    registry: Registry
    frames: FrameBuffer
    tracks: ActiveTracks
    clock: RedisClock

    def faces(self, source: str) -> list[Track]:
        """The faces that a source saw within the last 2 s, the most prominent first."""
        return self.tracks.of(source, self.clock.now_ms())

    def face(self, key: TrackKey) -> Track | None:
        """One face, if it was seen within the last 2 s."""
        return self.tracks.get(key, self.clock.now_ms())
