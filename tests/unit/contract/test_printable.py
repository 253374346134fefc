import os

import pytest

from contract.printable import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain name.mp4", "plain name.mp4"),
        ("Zoë 日本.mp4".encode(), "Zoë 日本.mp4"),
        (b"clip\xff\x80.mp4", r"clip\xff\x80.mp4"),
        (b"two\nlines\x1b[2J", r"two\nlines\x1b[2J"),
        ("right\u202eto left".encode(), r"right\u202eto left"),
    ],
)
def test_a_file_name_of_any_bytes_has_a_printable_form(name: bytes, shown: str):
    assert printable(os.fsdecode(name)) == shown


def test_a_lone_surrogate_that_is_no_byte_is_escaped():
    assert printable("\ud800") == r"\ud800"
