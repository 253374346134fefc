"""What is visible now: sources, their frames, and the faces in them."""

from dataclasses import dataclass

from api_gateway.results.active_tracks import ActiveTracks, Track
from api_gateway.sources.registry import Registry
from api_gateway.video.frame_buffer import FrameBuffer
from contract.redis.clock import RedisClock


@dataclass(frozen=True)
class LiveView:
    """The current state that video and face saving share."""

    registry: Registry
    frames: FrameBuffer
    tracks: ActiveTracks
    clock: RedisClock

    def faces(self, source: str) -> list[Track]:
        """The faces of a source within the last 2 s, the most prominent first."""
        return self.tracks.of(source, self.clock.now_ms())
