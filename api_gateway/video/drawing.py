"""Decodes, draws and encodes pictures. Only this module of the gateway needs OpenCV, a quarter of its memory.

Its users import it when they need the first picture, on the thread that renders it.
"""

from collections.abc import Iterable
from functools import lru_cache

from api_gateway.video.frame_buffer import Frame, scaled
from contract.judgement import Judgement
from contract.messages import Box
from contract.model.preprocessing import cut, framing_square
from contract.runtime_settings import Blur
from rendering import images, overlay
from rendering.anonymization import hide
from rendering.overlay import BoxLabel

FACE_QUALITY = 92
MOST_PLACEHOLDERS = 32
"""Each viewer of a source without video requests the same one about once a second."""


def render_frame(
    frame: Frame,
    quality: int,
    *,
    width: int | None,
    blur: Blur,
    hidden: Iterable[Box],
    labelled: Iterable[tuple[Box, Judgement | None]],
) -> bytes:
    """A JPEG of the frame.

    Args:
        frame: as captured.
        quality: of the JPEG, 1 to 100.
        width: maximum of the picture in pixels; None: as captured.
        blur: how faces are hidden.
        hidden: boxes of the faces to hide, in pixels of the captured frame.
        labelled: boxes to draw with their judgements, in pixels of the captured frame.

    Raises:
        PictureError: the frame holds no picture.
    """
    picture = images.decode(frame.jpeg)
    if width:
        picture = images.narrowed(picture, width)
    scale = frame.scale(picture.shape[1])
    hide(picture, [scaled(box, scale) for box in hidden], blur)
    overlay.draw(picture, [_label(scaled(box, scale), judgement) for box, judgement in labelled])
    return images.encode(picture, quality)


def crop_face(frame: Frame, box: Box) -> bytes:
    """A JPEG of one face, cropped as for the model.

    Raises:
        PictureError: the frame holds no picture.
    """
    picture = images.decode(frame.jpeg)
    shown = scaled(box, frame.scale(picture.shape[1]))
    left, top, side, _ = map(round, framing_square(shown))  # rounded here, or it may be a pixel off being square
    return images.encode(cut(picture, (left, top, side, side)), FACE_QUALITY)


@lru_cache(MOST_PLACEHOLDERS)
def placeholder(title: str, reason: str, size: tuple[int, int], quality: int) -> bytes:
    """A JPEG of this width and height with two lines of text: why there is no video."""
    return images.encode(overlay.placeholder(title, reason, *size), quality)


def _label(box: Box, judgement: Judgement | None) -> BoxLabel:
    if judgement is None:
        return BoxLabel(box)
    return BoxLabel(box, judgement.words, judgement.confidence, certain=judgement.certain)
