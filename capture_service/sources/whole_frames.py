"""Notices frames that are cut off or displaced where FFmpeg's decoder shows something else in their place."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

_DV_SEQUENCE = 12_000
"""Bytes of a sequence of DV (IEC 61834-2): 150 blocks, of which the first is a header and the last holds pixels."""
_DV_BLOCK = 80
_HEADER, _VIDEO = 0, 4
"""Kinds of blocks."""


def is_whole(decoder: str, packet: "av.Packet[VideoStream]", container: "InputContainer") -> bool:
    """Whether the packet holds a whole frame, as far as its bytes tell.

    FFmpeg fills the rest of a cut frame of DV with the frame before. In a GIF, the picture before stays visible.

    Args:
        decoder: its name.
        packet: of the container.
        container: that is read.
    """
    match decoder:
        case "dvvideo":
            # FFmpeg reads a file of nothing but DV frame by frame into one buffer, beyond the end of the file, too.
            cut = container.format.name == "dv" and (packet.pos or 0) + packet.size > container.size
            return not cut and _has_dv_headers(bytes(packet))
        case "gif":
            return bytes(packet)[-2:] == b"\0;" or bytes(packet)[-1:] == b"\0"
        case _:
            return True


def _has_dv_headers(frame: bytes) -> bool:
    """Whether each sequence of the frame begins and ends where it must, with its number."""
    sequences = 12 if len(frame) > 3 and frame[3] & 0x80 else 10  # 625 or 525 lines
    if not frame or len(frame) % (sequences * _DV_SEQUENCE):
        return False
    for at in range(0, len(frame), _DV_SEQUENCE):
        last, number = at + _DV_SEQUENCE - _DV_BLOCK, (at // _DV_SEQUENCE) % sequences
        if (frame[at] >> 5, frame[last] >> 5) != (_HEADER, _VIDEO) or {frame[at + 1] >> 4, frame[last + 1] >> 4} != {
            number
        }:
            return False
    return True
