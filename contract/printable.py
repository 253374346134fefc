"""Text of any origin, such as the names of files, as text that every log, terminal and message can hold."""

from pathlib import Path

_FIRST_ESCAPED_BYTE, _LAST_ESCAPED_BYTE = 0xDC80, 0xDCFF


def printable(text: str | Path) -> str:
    r"""The text in one line, with `\xff` for a byte that is no UTF-8, and escapes for control characters.

    Python reads a byte of a file name that is no UTF-8 as a lone surrogate, which can be neither encoded nor printed.
    """
    return "".join(one if one.isprintable() else _escaped(one) for one in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if _FIRST_ESCAPED_BYTE <= code <= _LAST_ESCAPED_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
