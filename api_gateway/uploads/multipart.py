"""The file of a form (multipart/form-data, RFC 7578), taken in as it comes: it may be larger than the memory."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api_gateway.errors import ApiError

SILENT_SECONDS = 30.0
"""A form whose sender is silent for so long is broken off."""
LONGEST_NAME = 200


class MultipartFile:
    """The bytes of one field's file, to be iterated over once; every other field is passed over.

    Iterating raises `ApiError` where it is no form, is cut off, has no such file, has one whose name looks like a path,
    or where nothing comes any more.

    Args:
        content_type: the request's header.
        stream: the request's body.
        field: the name of the field.

    Raises:
        ApiError: the content type states no boundary.
    """

    def __init__(self, content_type: str, stream: AsyncIterable[bytes], field: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise ApiError(400, "bad_request", "the form states no boundary")
        self.name = ""
        """The file's name as its sender says; known with its first bytes."""
        self._stream = stream
        self._field = field.encode()
        self._ours = False
        self._complete = False
        self._ended = False
        self._header: list[bytes] = [b"", b""]
        self._disposition = b""
        self._found: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._data_begins,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._end,
            },
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)
        while (chunk := await _next(chunks)) is not None:
            self._found.clear()
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise ApiError(400, "bad_request", "this is not a form that can be read") from error
            if self._found:
                yield b"".join(self._found)
        if not self._ended:
            raise ApiError(400, "bad_request", "the form is cut off")
        if not self._complete:
            raise ApiError(422, "invalid_request", f"the form has no file `{self._field.decode()}`")

    def _part_begins(self) -> None:
        self._ours, self._disposition = False, b""

    def _add_header(self, place: int, part: bytes) -> None:
        self._header[place] += part

    def _header_ends(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _data_begins(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._ours = options.get(b"name") == self._field and b"filename" in options and not self._complete
        if self._ours:
            self.name = _checked(options[b"filename"].decode(errors="replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._ours:
            self._found.append(data[start:end])

    def _part_ends(self) -> None:
        self._complete |= self._ours

    def _end(self) -> None:
        self._ended = True


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await anext(chunks, None)
    except TimeoutError:
        raise ApiError(408, "timeout", f"nothing came for {SILENT_SECONDS:.0f} s") from None


def _checked(name: str) -> str:
    """Names are told, and are no paths of ours; one that looks like a path is refused all the same."""
    if not name.isprintable() or name in {"", ".", ".."} or set(name) & set("/\\") or len(name) > LONGEST_NAME:
        message = f"{name[:80]!r} is no name of a file: use 1 to {LONGEST_NAME} characters, without / and \\"
        raise ApiError(422, "bad_name", message)
    return name
