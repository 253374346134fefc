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


@dataclass(frozen=True)
class LiveState:
    """The parts that hold something. What lies outside the scope of an erasure stays."""

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
        self.processor.erase(scope)  # first: it gives the sinks the readings that it still holds
        self.frames.discard(scope)
        self.annotations.discard(scope)
        self.history.discard(scope)
        await self.saver.discard(scope)

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
