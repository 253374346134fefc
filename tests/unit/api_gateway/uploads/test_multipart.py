"""The file of a form, taken in chunk by chunk."""

import asyncio

import pytest

from api_gateway.uploads.errors import BadFileName, MalformedForm, MissingFile
from api_gateway.uploads.multipart import FormLimits, MultipartFile

BOUNDARY = "xyz"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
CONTENT = bytes(range(256)) * 40 + b"\r\n--xy\r\n"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def taken(body: bytes, kind: str = KIND, size: int = 100, **options: object) -> tuple[bytes, str]:
    async def stream():
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async def take():
        file = MultipartFile(kind, stream(), "video", **options)
        return b"".join([chunk async for chunk in file]), file.name

    return asyncio.run(take())


@pytest.mark.parametrize("size", [1, 7, 100, 1_000_000])
def test_the_file_is_received_complete_however_the_form_is_split_into_chunks(size):
    body = form(part("note", b"no file"), part("video", CONTENT, "clip.mp4"), part("other", b"x" * 5000, "b.bin"))
    assert taken(body, size=size) == (CONTENT, "clip.mp4")


@pytest.mark.parametrize(
    "name",
    ["../x.mp4", "/etc/passwd", "a/b.mp4", "a\\\\b.mp4", "..", ".", "", "a\x00b.mp4", "a\x1bb.mp4", "x" * 300],
    ids=repr,
)
def test_a_file_name_with_a_path_is_refused(name):
    with pytest.raises(BadFileName, match="is no name of a file"):
        taken(form(part("video", CONTENT, name)))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", MalformedForm),
        (b"no form at all", MalformedForm),
        (form(part("video", CONTENT, "a.mp4"))[:-30], MalformedForm),
        (form(part("picture", CONTENT, "a.mp4")), MissingFile),
        (form(part("video", b"a field, not a file")), MissingFile),
    ],
    ids=["empty", "no form", "cut off", "another field", "no file"],
)
def test_a_body_that_is_not_a_form_with_the_file_is_refused(body, error):
    with pytest.raises(error):
        taken(body)


@pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'b' * 257}"])
def test_a_form_without_a_usable_boundary_is_refused(boundary):
    with pytest.raises(MalformedForm, match="no boundary"):
        taken(b"", kind=f"multipart/form-data{boundary}")


def test_a_form_with_more_parts_than_its_limits_is_refused():
    limits = FormLimits(files=1, fields=2)
    fields = [part(f"f{number}", b"x") for number in range(2)]
    assert taken(form(*fields, part("video", b"v", "a.mp4")), limits=limits)[0] == b"v"
    with pytest.raises(MalformedForm, match="too many fields: at most 2"):
        taken(form(*fields, part("more", b"x"), part("video", b"v", "a.mp4")), limits=limits)
    with pytest.raises(MalformedForm, match="too many files: at most 1"):
        taken(form(part("video", b"v", "a.mp4"), part("video", b"v", "b.mp4")), limits=limits)


def test_a_file_under_whose_name_nothing_is_stored_may_have_any_name():
    assert taken(form(part("video", CONTENT, "../x.mp4")), any_name=True) == (CONTENT, "../x.mp4")
    assert taken(form(part("video", CONTENT, "")), any_name=True) == (CONTENT, "")
