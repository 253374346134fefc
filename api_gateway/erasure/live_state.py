"""What a gateway has in mind of the last moments, from where it could be written after it was erased."""

from dataclasses import dataclass

from api_gateway.faces.saver import FaceSaver
from api_gateway.history.service import HistoryService
from api_gateway.results.processor import ResultProcessor
from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import FrameBuffer
from contract.messages.erasure import ErasureScope


@dataclass(frozen=True)
class LiveState:
    """Everything of the kind. Sources that are seen go on, as if they had begun at this moment."""

    frames: FrameBuffer
    captions: FrameAnnotations
    steadies: ResultProcessor
    saver: FaceSaver
    history: HistoryService

    async def forget(self, span: ErasureScope) -> None:
        """Nothing that is in mind of this span's sources is written from now on."""
        self.frames.forget(span.source)
        self.captions.forget(span.source)
        self.steadies.erase(span)
        await self.saver.forget(span.source)
        self.history.forget(span)
