"""Files whose names are no text, look like options, patterns or addresses, or are none at all."""

import json
import os

import cv2
import numpy as np
import pytest

from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import parse, recording
from contract.errors import SourceError
from tests.unit.capture_service.sources.test_sources import frames_of
from tests.videos import flat, write_video

NAMES = {
    b"b\xe9": r"b\xe9",
    b"new\nline": r"new\nline",
    b"\x1b[31mred": r"\x1b[31mred",
    b"-x": "-x",
    b"=HYPERLINK(1)": "=HYPERLINK(1)",
    b"img_%02d": "img_%02d",
    b"pipe:0": "pipe:0",
    b"concat:a|b": "concat:a|b",
    b"http:x": "http:x",
    "ü😀".encode(): "ü😀",
}


def picture():
    return cv2.imencode(".jpg", np.full((24, 32, 3), 90, np.uint8))[1].tobytes()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_shows_its_pictures_under_printable_names(here):
    for name in NAMES:
        (here / os.fsdecode(name + b".jpg")).write_bytes(picture())
        (here / os.fsdecode(name + b"-broken.jpg")).write_bytes(b"no picture")
    source = make_recorded(recording(str(here)), CaptureSettings())
    source.open()
    read, broken = set(), set()
    while (frame := source.read()) is not None:
        name = source.picture(frame.number)
        json.dumps(name).encode()
        name.encode()
        (broken if frame.picture is None else read).add(name)
        assert frame.note == ("" if frame.picture is not None else f"{name}: this is not a picture that can be read")
    assert read == {f"{name}.jpg" for name in NAMES.values()}
    assert broken == {f"{name}-broken.jpg" for name in NAMES.values()}


@pytest.mark.parametrize("name", NAMES, ids=NAMES.values())
def test_a_video_of_any_name_is_read_and_shown_under_a_printable_name(here, name):
    path = os.fsdecode(name + b".mp4")
    write_video(here / "plain.mp4", flat([90] * 5)).rename(here / path)
    spec = recording(path)
    assert [frame.picture.shape for frame in frames_of(spec)] == [(48, 64, 3)] * 5
    assert spec.safe == f"{here}/{NAMES[name]}.mp4"


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a\0b.mp4", os.fsdecode(b"\xff.mp4"), chr(0xD800), "a/" * 3000], ids=range(5)
)
def test_a_name_that_no_file_has_is_refused_in_printable_words(here, name):
    for attempt in (lambda: recording(name), lambda: parse("cam", name)):
        with pytest.raises(SourceError) as refusal:
            attempt()
        assert str(refusal.value).encode().isascii()
        assert len(str(refusal.value)) < 6000
