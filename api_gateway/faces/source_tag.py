"""Which source a saved face was seen by: a comment in the JPEG itself, so that no crash can part the two.

The name of a saved face does not tell it; a comment segment (COM, ITU-T T.81, B.2.4.5) stays when the face is labelled,
and so renamed.
"""

HEAD_BYTES = 128
"""The comment lies within so many bytes of the beginning."""
_BEGIN, _APP0, _COMMENT = b"\xff\xd8", b"\xff\xe0", b"\xff\xfe"
_PREFIX = b"emotii source "


def stamped(jpeg: bytes, source: str) -> bytes:
    """The JPEG with the name of its source in it."""
    text = _PREFIX + source.encode()
    at = _behind_app0(jpeg)
    return jpeg[:at] + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg[at:]


def origin(head: bytes) -> str | None:
    """The source of a JPEG that begins with these bytes; None if it does not say."""
    at = _behind_app0(head)
    if head[at : at + 2] != _COMMENT:
        return None
    text = head[at + 4 : at + 2 + int.from_bytes(head[at + 2 : at + 4], "big")]
    return text.removeprefix(_PREFIX).decode(errors="replace") if text.startswith(_PREFIX) else None


def _behind_app0(jpeg: bytes) -> int:
    """JFIF wants its own segment to be the first."""
    begin = len(_BEGIN)
    if jpeg[begin : begin + 2] != _APP0:
        return begin
    return begin + 2 + int.from_bytes(jpeg[begin + 2 : begin + 4], "big")
