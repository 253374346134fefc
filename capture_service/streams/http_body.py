"""The body of a camera's response: what it holds, judged by its first bytes, and reading it with a bound on time."""

from http.client import HTTPException, HTTPResponse
from typing import Literal

from capture_service.sources.reasons import connection_reason
from capture_service.streams.frames import StreamFailure
from capture_service.streams.http_client import HttpClient

BodyKind = Literal["jpegs", "picture", "container", "playlist"]

_HEAD_BYTES = 4096
"""In so many bytes a motion JPEG shows that it is one, whatever stands before its first picture."""
_READ_BYTES = 1 << 16
_JPEG = b"\xff\xd8\xff"
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*")
_CONTAINERS = (b"FLV\x01", b"\x1aE\xdf\xa3", b"OggS", b"\0\0\1", b"\0\0\0\1", b"G", b"GIF8")
_PLAYLISTS = (b"#extm3u", b"<mpd", b"<?xml")
_TEXTS = {
    b"ffconcat": "a playlist",
    b"[playlist]": "a playlist",
    b"v=0": "a description of a session (SDP)",
    b"rtsptext": "a reference to another address",
    b"<": "a web page",
    b"{": "JSON",
}


class HttpBody:
    """Reads the body of `response`; also the file object that FFmpeg reads.

    Attributes:
        failure: why the last read failed. FFmpeg only sees an end then.
    """

    def __init__(self, response: HTTPResponse, client: HttpClient) -> None:
        self.failure: str | None = None
        self._response = response
        self._client = client
        self._head = b""
        self._left = response.length
        """The bytes that are still to come, None if that is not stated."""

    def read(self, size: int = _READ_BYTES) -> bytes:
        """Up to `size` bytes as they come, none at the end or after a failure."""
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
            return taken
        if self.failure is not None:
            return b""
        try:
            return self._read(size)
        except (OSError, HTTPException, ValueError) as error:
            self.failure = "the response is damaged" if isinstance(error, ValueError) else connection_reason(error)
            return b""

    def _read(self, size: int) -> bytes:
        # In Python 3.11 `read1` waits for more than the stated length.
        taken = self._response.read1(size if self._left is None else min(size, self._left)) if self._left != 0 else b""
        if self._left is not None:
            if not taken and self._left:
                self.failure = "the response ends too early"
            self._left -= len(taken)
            if not self._left:
                self._response.close()  # the connection can serve another request
        return taken

    def all(self, most: int) -> bytes:
        """The whole body, or a little more than `most` bytes of it."""
        parts, size = [], 0
        while size <= most and (part := self.read()):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def begin(self, seconds: float) -> None:
        """From now on reading may take `seconds`."""
        self._client.deadline(seconds)

    def kind(self) -> BodyKind:
        """What the body holds; reads as much as it takes to know.

        Raises:
            StreamFailure: neither pictures nor a video.
        """
        stated = self._response.headers.get_content_type() if "Content-Type" in self._response.headers else ""
        head = b""
        while (found := _kind(head, stated)) is None and len(head) < _HEAD_BYTES and (more := self.read()):
            head += more
        self._head = head + self._head
        if not head:
            raise StreamFailure(self.failure or "the response is empty")
        begin = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if found is None and begin.startswith(_PLAYLISTS):
            return "playlist"
        if found is None and (text := _text(begin, stated)):
            raise StreamFailure(f"the camera sends {text} instead of a video")
        return found or "container"

    @property
    def boundary(self) -> bytes:
        """The stated boundary between parts, empty if none is stated."""
        stated = self._response.headers.get_param("boundary", "")
        return stated.strip("\"' ").encode("latin-1", "replace") if isinstance(stated, str) else b""

    @property
    def multipart(self) -> bool:
        return self._response.headers.get_content_maintype() == "multipart"


def _kind(head: bytes, stated: str) -> BodyKind | None:
    """The kind by the bytes so far; None while it is not known."""
    if stated.startswith("multipart/"):
        return "jpegs" if head else None
    text = head.lstrip().lower()
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "picture"
    if len(head) >= 12 and (head.startswith(_CONTAINERS) or head[4:8] in {b"ftyp", b"moov", b"styp", b"moof"}):
        return "container"
    if _JPEG in head or text.startswith((b"--", b"content-")):
        return "jpegs"
    return None


def _text(begin: bytes, stated: str) -> str | None:
    for sign, name in _TEXTS.items():
        if begin.startswith(sign):
            return name
    return "text" if stated.startswith("text/") and begin.isascii() else None
