"""How a decoded picture is shown: upright by the display matrix, with square pixels, as one field if it has two."""

import struct
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame

from capture_service.frame import Picture

_MATRIX = struct.Struct("=9i")
_WIDEST = 8
"""A pixel that is stated to be wider or higher by more than this is taken for a square one."""


def square_pixels(width: int, height: int, aspect: Fraction | None, max_pixels: int) -> tuple[int, int]:
    """The size (width, height) of a picture whose pixels were made square.

    Args:
        width: of the stored picture.
        height: of the stored picture.
        aspect: width of a stored pixel by its height; None if it is not known.
        max_pixels: the picture is enlarged as long as it has no more pixels than this, and otherwise made smaller.
    """
    if not aspect or not Fraction(1, _WIDEST) <= aspect <= _WIDEST:
        return width, height
    wide, high = (width * aspect, height) if aspect > 1 else (width, height / aspect)
    if wide * high > max_pixels:
        wide, high = (width, height / aspect) if aspect > 1 else (width * aspect, height)
    return max(1, round(wide)), max(1, round(high))


def upright(picture: Picture, matrix: bytes | None) -> Picture:
    """The picture turned and mirrored by FFmpeg's display matrix, to the nearest quarter turn.

    The matrix maps a stored point (x, y) to the shown point (a x + c y, b x + d y); x goes right and y goes down.
    """
    if matrix is None or len(matrix) < _MATRIX.size:
        return picture
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix[: _MATRIX.size])
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture = picture.transpose(1, 0, 2)
        right, down = c, b
    else:
        right, down = a, d
    return np.ascontiguousarray(picture[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1])


def first_field(frame: VideoFrame) -> VideoFrame:
    """Every second line of an interlaced frame: those of one moment.

    Filters that look at the neighbouring frames are better for the eye, and put their pixels into this one.
    """
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("field", "top"), graph.add("buffersink")).configure()
    graph.push(frame)
    field = graph.pull()
    assert isinstance(field, VideoFrame)  # noqa: S101 - a graph of one video filter
    return field
