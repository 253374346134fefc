"""Notices that a frame is missing to which later frames of an H.264 stream refer (ITU-T H.264, 7.3 and 7.4.3).

FFmpeg replaces such a frame by the one before without an error, so that the following frames show wrong pixels. Frames
that others refer to are numbered (`frame_num`), so a gap in the numbers shows that one is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_SLICE, _KEY_SLICE, _PARAMETERS = 1, 5, 7
_START = b"\0\0\1"
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose parameters describe the sampling of colours."""
_MOST_GAPS = 10
"""More gaps in a row come from a camera that does not number its frames as it should."""
_HEAD = 256
"""Bytes of a unit that are looked at; parameters with scaling matrices have more, and are not understood then."""


class H264References:
    """Follows the numbers of one stream.

    Args:
        extradata: of the stream: its parameters in the format of MP4 (avcC) or with start codes.
    """

    def __init__(self, extradata: bytes | None) -> None:
        extradata = extradata or b""
        self._length_bytes = 0
        """Of the length before each unit; 0: units have start codes."""
        self._parameters: _Parameters | None = None
        self._last: int | None = None
        """Number of the last frame that others may refer to; None: not known yet."""
        self._gaps = 0
        """In a row."""
        if extradata[:1] == b"\1" and len(extradata) > 8:
            self._length_bytes = (extradata[4] & 3) + 1
            self._read_parameters(extradata[8 : 8 + int.from_bytes(extradata[6:8])])
        else:
            self.is_complete(extradata)

    def is_complete(self, packet: bytes) -> bool:
        """Whether no frame is missing between the packets before and this one, as far as the numbers tell."""
        for unit in self._units(packet):
            kind, is_reference = unit[0] & 0x1F, bool(unit[0] & 0x60)
            if kind == _PARAMETERS:
                self._read_parameters(unit)
            elif kind in {_SLICE, _KEY_SLICE}:
                return self._follows(unit, is_key=kind == _KEY_SLICE, is_reference=is_reference)
        return True

    def _follows(self, unit: bytes, *, is_key: bool, is_reference: bool) -> bool:
        parameters = self._parameters
        if parameters is None or parameters.has_gaps:
            return True
        bits = _Bits(unit[1:])
        try:
            for _ in ("first block", "kind of slice", "parameters"):
                bits.exp_golomb()
            bits.read(2 if parameters.separate_planes else 0)
            number = bits.read(parameters.number_bits)
        except IndexError:
            return True  # cut off: the decoder reports it
        last, self._last = self._last, number if is_reference or is_key else self._last
        follows = is_key or last is None or number in {last, (last + 1) % (1 << parameters.number_bits)}
        self._gaps = 0 if follows else self._gaps + 1
        return follows or self._gaps > _MOST_GAPS

    def _read_parameters(self, unit: bytes) -> None:
        try:
            self._parameters = _parameters(unit)
        except IndexError:
            self._parameters = None

    def _units(self, packet: bytes) -> Iterator[bytes]:
        if self._length_bytes:
            at = 0
            while at + self._length_bytes < len(packet):
                size = int.from_bytes(packet[at : at + self._length_bytes])
                at += self._length_bytes
                if size:
                    yield packet[at : at + min(size, _HEAD)]
                at += size
            return
        at = packet.find(_START)
        while 0 <= at < len(packet) - len(_START):
            at += len(_START)
            yield packet[at : at + _HEAD]
            at = packet.find(_START, at)


@dataclass(frozen=True, slots=True)
class _Parameters:
    number_bits: int
    separate_planes: bool
    has_gaps: bool
    """Whether the numbers may have gaps, as in streams with layers."""


def _parameters(unit: bytes) -> _Parameters | None:
    """The parameters of a sequence; None if they are of a kind that is not understood here."""
    bits = _Bits(unit[1:])
    profile, separate = bits.read(8), False
    bits.read(16)  # constraints and level
    bits.exp_golomb()
    if profile in _HIGH_PROFILES:
        separate = bits.exp_golomb() == 3 and bool(bits.read(1))
        bits.exp_golomb()
        bits.exp_golomb()
        bits.read(1)
        if bits.read(1):  # scaling matrices
            return None
    number_bits = bits.exp_golomb() + 4
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.read(1)
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()
    bits.exp_golomb()
    return _Parameters(number_bits, separate, bool(bits.read(1))) if number_bits <= 16 else None


class _Bits:
    """Reads bits, the highest first, without the bytes that keep start codes apart. Raises IndexError at the end."""

    def __init__(self, content: bytes) -> None:
        self._content = content.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def read(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._content[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def exp_golomb(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)
