"""What a gateway holds in memory of the last moments, from where it could be published or stored after an erasure."""

from dataclasses import dataclass

from api_gateway.faces.saver import FaceSaver
from api_gateway.history.service import HistoryService
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.processor import ResultProcessor
from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import FrameBuffer
from contract.messages.erasure import ErasureScope
from contract.redis.clock import RedisClock

KEPT_MS = 10_000
"""Frames, annotations and faces that are due to be saved are all younger than this."""


@dataclass(frozen=True)
class LiveState:
    """The parts that hold something. Sources that are captured go on as if they had begun at this moment."""

    clock: RedisClock
    erased: ErasedScopes
    frames: FrameBuffer
    annotations: FrameAnnotations
    processor: ResultProcessor
    saver: FaceSaver
    history: HistoryService

    async def discard(self, scope: ErasureScope) -> None:
        """From now on nothing of this scope is published or stored; what is held of it is discarded."""
        self.erased.add(scope)
        now_ms = self.clock.now_ms()
        if scope.to_ms >= now_ms - KEPT_MS and scope.from_ms <= now_ms + KEPT_MS:
            self.frames.forget(scope.source)
            self.annotations.forget(scope.source)
            await self.saver.forget(scope.source)
        self.processor.erase(scope)
        self.history.discard(scope)

    def settle(self, scope: ErasureScope) -> None:
        """The erasure of this scope is done."""
        self.erased.settle(scope, self.clock.now_ms())

    def prune(self) -> None:
        """Drop the scopes of which nothing can arrive any more."""
        self.erased.prune(self.clock.now_ms())


class NoLiveState:
    """Of a process that receives no results."""

    async def discard(self, scope: ErasureScope) -> None:
        return

    def settle(self, scope: ErasureScope) -> None:
        return

    def prune(self) -> None:
        return
