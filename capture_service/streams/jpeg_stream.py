"""Finds the JPEGs in the body of a motion-JPEG response, however its parts are separated.

Cameras send boundaries other than the stated one, none at the beginning, no length, or a wrong one. So the JPEGs are
found by their own structure: begin, segments of stated lengths, scans, end.
"""

import re
from collections.abc import Callable

_BEGIN, _END = b"\xff\xd8\xff", b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""In the coded data of a scan: whatever is neither an escaped byte, padding nor a restart."""
_SCAN = 0xDA
_BEGINS, _ENDS = 0xD8, 0xD9
_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xD8)}


class JpegStream:
    """The JPEGs of a response, in order.

    Args:
        read: returns some bytes of the body, none at its end.
        max_bytes: of one JPEG.
        boundary: between the parts, if it is known; a JPEG that was cut off ends there at the latest.
    """

    def __init__(self, read: Callable[[], bytes], max_bytes: int, boundary: bytes = b"") -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._boundary = b"--" + boundary.lstrip(b"-") if boundary.strip(b"-") else b""
        self._buffer = bytearray()
        self._place = 0
        """How far the JPEG was walked through."""
        self._in_scan = self._in_segment = False

    def next(self) -> bytes | None:
        """The next JPEG, or what there is of one that was cut off; None at the end.

        Raises:
            OSError: as `read` does.
        """
        if not self._find_begin():
            return None
        self._place, self._in_scan = len(_BEGIN) - 1, False
        while (end := self._end()) is None:
            if len(self._buffer) > self._max_bytes or not self._fill():
                end = len(self._buffer)
                break
        return self._taken(end)

    def at_end(self) -> bool:
        """Whether the body ends here, but for white space and a last boundary; waits until that is known."""
        return not self._find_begin()

    def _find_begin(self) -> bool:
        while (begin := self._buffer.find(_BEGIN)) < 0:
            del self._buffer[: max(0, len(self._buffer) - len(_BEGIN) + 1)]
            if not self._fill():
                return False
        del self._buffer[:begin]
        return True

    def _end(self) -> int | None:
        """Where the JPEG ends, None if more bytes are needed to know; walks on from `_place`."""
        while self._to_marker():
            kind = self._buffer[self._place + 1]
            if kind == _BEGINS:
                return self._place  # the JPEG before was cut off
            if kind == _ENDS:
                return self._place + 2
            if kind in _WITHOUT_LENGTH:
                self._place += 2
            elif (cut := self._skip_segment()) is not None or self._in_segment:
                return cut
        return None

    def _to_marker(self) -> bool:
        """Walk to the next marker; whether there is one."""
        damaged = self._place < len(self._buffer) and self._buffer[self._place] != 0xFF
        if self._in_scan or damaged:
            found = _MARKER.search(self._buffer, self._place)
            self._in_scan = found is None
            self._place = found.start() if found else max(self._place, len(self._buffer) - 1)
        while self._buffer[self._place : self._place + 2] == b"\xff\xff":
            self._place += 1
        return not self._in_scan and len(self._buffer) >= self._place + 2

    def _skip_segment(self) -> int | None:
        """Walk behind this segment if all of it is there; the end of the JPEG if it was cut off in the segment."""
        begin, buffer = self._place, self._buffer
        end = begin + 2 + int.from_bytes(buffer[begin + 2 : begin + 4])
        self._in_segment = len(buffer) < max(end, begin + 4)
        if (cut := self._cut(begin, min(end, len(buffer)))) is not None:
            return cut
        if not self._in_segment:
            self._in_scan, self._place = buffer[begin + 1] == _SCAN, end
        return None

    def _cut(self, place: int, behind: int) -> int | None:
        """Where a boundary stands in this segment, which then was cut off."""
        at = self._buffer.find(self._boundary, place, behind) if self._boundary else -1
        return at if at >= 0 else None

    def _taken(self, end: int) -> bytes:
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken

    def _fill(self) -> bool:
        more = self._read()
        self._buffer += more
        return bool(more)
