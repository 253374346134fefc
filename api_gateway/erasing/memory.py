"""What a gateway has in mind of the last moments, from where it could be written after it was erased."""

from dataclasses import dataclass

from api_gateway.captions import Captions
from api_gateway.erasing.erasure import Span
from api_gateway.frames import Frames
from api_gateway.history.history import History
from api_gateway.saver import Saver
from api_gateway.steadies import Steadies


@dataclass(frozen=True)
class Memory:
    """Everything of the kind. Sources that are seen go on, as if they had begun at this moment."""

    frames: Frames
    captions: Captions
    steadies: Steadies
    saver: Saver
    history: History

    async def forget(self, span: Span) -> None:
        """Nothing that is in mind of this span's sources is written from now on."""
        self.frames.forget(span.source)
        self.captions.forget(span.source)
        self.steadies.erase(span)
        await self.saver.forget(span.source)
        self.history.forget(span)
