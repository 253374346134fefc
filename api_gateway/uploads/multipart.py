"""Reads the file of a form (multipart/form-data, RFC 7578) as it arrives: the file may be larger than the memory."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, MultipartParser, parse_options_header

from api_gateway.uploads.errors import BadFileName, MalformedForm, MissingFile

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class FormLimits:
    """Limits on the parts of a form; None: no limit, since only the one file is ever kept."""

    files: int | None = None
    fields: int | None = None


NO_LIMITS = FormLimits()


class MultipartFile:
    """The bytes of one field's file, as an iterable to be consumed once; all other parts are skipped.

    Iterating raises:
        MalformedForm: the body is no form, is cut off, or exceeds the limits.
        MissingFile: the form has no such file.
        BadFileName: the file's name looks like a path.

    Args:
        content_type: the request's header.
        stream: the request's body.
        field: the name of the field.
        limits: on the parts of the form.
        any_name: whether to accept any name of the file, because nothing is stored under it.

    Raises:
        MalformedForm: the content type states no boundary, or one that is too long.
    """

    def __init__(
        self,
        content_type: str,
        stream: AsyncIterable[bytes],
        field: str,
        *,
        limits: FormLimits = NO_LIMITS,
        any_name: bool = False,
    ) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY_LENGTH:
            raise MalformedForm(f"the form states no boundary of up to {MAX_BOUNDARY_LENGTH} bytes")
        self.name = ""
        """The file's name as the client states it; known with the first bytes."""
        self._stream = stream
        self._field = field.encode()
        self._limits = limits
        self._any_name = any_name
        self._files = self._fields = 0
        self._in_file = False
        """Whether the current part is the file."""
        self._complete = False
        self._ended = False
        self._header: list[bytes] = [b"", b""]
        self._disposition = b""
        self._received: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._received.clear()
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise MalformedForm("this is not a form that can be read") from error
            if self._received:
                yield b"".join(self._received)
        if not self._ended:
            raise MalformedForm("the form is cut off")
        if not self._complete:
            raise MissingFile(f"the form has no file `{self._field.decode()}`")

    def _on_part_begin(self) -> None:
        self._in_file, self._disposition = False, b""

    def _add_header(self, place: int, part: bytes) -> None:
        self._header[place] += part

    def _on_header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _on_headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._count(is_file=b"filename" in options)
        self._in_file = options.get(b"name") == self._field and b"filename" in options and not self._complete
        if self._in_file:
            self.name = options[b"filename"].decode(errors="replace")
            if not self._any_name:
                _check_name(self.name)

    def _count(self, *, is_file: bool) -> None:
        self._files += is_file
        self._fields += not is_file
        for kind, count, limit in (
            ("files", self._files, self._limits.files),
            ("fields", self._fields, self._limits.fields),
        ):
            if limit is not None and count > limit:
                raise MalformedForm(f"the form has too many {kind}: at most {limit}")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._received.append(data[start:end])

    def _on_part_end(self) -> None:
        self._complete |= self._in_file

    def _on_end(self) -> None:
        self._ended = True


def _check_name(name: str) -> None:
    """A name is only shown, never used as a path; one that looks like a path is refused all the same."""
    if not name.isprintable() or name in {"", ".", ".."} or set(name) & set("/\\") or len(name) > LONGEST_NAME:
        raise BadFileName(f"{name[:80]!r} is no name of a file: use 1 to {LONGEST_NAME} characters, without / and \\")
