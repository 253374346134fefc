"""The source of a saved face, as a comment in the JPEG itself, so that no crash can separate the two.

The name of a saved face does not contain it. A comment segment (COM, ITU-T T.81, B.2.4.5) stays when a face is labelled
and so renamed.
"""

HEAD_BYTES = 128
"""The comment is within this number of bytes from the start."""
_BEGIN, _APP0, _COMMENT = b"\xff\xd8", b"\xff\xe0", b"\xff\xfe"
_PREFIX = b"emotii source "


def tagged(jpeg: bytes, source: str) -> bytes:
    """The JPEG with the name of its source as a comment."""
    text = _PREFIX + source.encode()
    at = _behind_app0(jpeg)
    return jpeg[:at] + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg[at:]


def origin(head: bytes) -> str | None:
    """The source of a JPEG that begins with these bytes; None if there is no such comment."""
    at = _behind_app0(head)
    if head[at : at + 2] != _COMMENT:
        return None
    text = head[at + 4 : at + 2 + int.from_bytes(head[at + 2 : at + 4], "big")]
    return text.removeprefix(_PREFIX).decode(errors="replace") if text.startswith(_PREFIX) else None


def _behind_app0(jpeg: bytes) -> int:
    """The offset after JFIF's own segment, which must be the first."""
    begin = len(_BEGIN)
    if jpeg[begin : begin + 2] != _APP0:
        return begin
    return begin + 2 + int.from_bytes(jpeg[begin + 2 : begin + 4], "big")
