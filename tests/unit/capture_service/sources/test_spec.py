import pickle
import re

import pytest

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import DEMO_CLIP, SourceSpec, configured, parse_list, recording
from contract.errors import SettingsError, SourceError
from contract.service.settings import load


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "a clip.gif"
    path.write_bytes(b"GIF89a")
    return path


def test_every_kind_of_source_is_recognised_by_its_address(clip, tmp_path):
    (tmp_path / "one.JPG").write_bytes(b"")
    text = f"front=0,clip={clip}?loop=1&fps=5,pics={tmp_path}/?fps=2,door=rtsp://host/x,cam=inbox,demo=demo"

    specs = parse_list(text)

    assert [(spec.name, spec.kind) for spec in specs] == [
        ("front", "webcam"),
        ("clip", "file"),
        ("pics", "pictures"),
        ("door", "stream"),
        ("cam", "inbox"),
        ("demo", "file"),
    ]
    assert specs[1] == SourceSpec("clip", "file", str(clip), loop=True, fps=5)
    assert (specs[5].address, specs[5].loop) == (str(DEMO_CLIP), True)


def test_a_relative_path_belongs_to_the_working_directory(clip, monkeypatch):
    monkeypatch.chdir(clip.parent)
    assert parse_list("clip=a clip.gif")[0].address == str(clip)


def test_a_query_of_a_stream_is_the_cameras_own():
    assert parse_list("door=http://host/mjpg?loop=1")[0] == SourceSpec("door", "stream", "http://host/mjpg?loop=1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "part 1 is not NAME=ADDRESS"),
        ("front=0,1", "part 2 is not NAME=ADDRESS"),
        ("Front=0", "cannot name a source"),
        ("a}{b=0", "cannot name a source"),
        ("=0", "cannot name a source"),
        ("a=0,a=1", "named twice"),
        ("uploads=0", "reserved for uploaded pictures"),
        ("a=", "empty"),
        ("a=rtsp://host/\nx", "control character"),
        ("a=/no/such/file.mp4", "no such file"),
        ("a=cam0", "no such file"),
        ("a=img_%02d.jpg", "no such file"),
        ("a=/dev/zero", "not a regular file"),
        ("a=file:///etc/passwd", "file: is not supported"),
        ("a=FILE:///etc/passwd", "file: is not supported"),
        ("a=gopher://host/", "gopher: is not supported"),
        ("a=concat:a.mp4|b.mp4", "concat: is not supported"),
        ("a=subfile:::/etc/passwd", "subfile: is not supported"),
        ("a=rtsp://", "no usable host"),
        ("a=rtsp://host:port/", "no usable host"),
        ("a=rtsp://host:0/", "no usable host"),
        ("a=rtsp://host:99999/", "no usable host"),
        ("a=http://[::1/", "no usable host"),
    ],
)
def test_an_invalid_source_is_one_line(text, message):
    with pytest.raises(SourceError, match=re.escape(message)) as raised:
        parse_list(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("option", ["fps=0", "fps=nan", "fps=-1", "fps=1e9", "loop=perhaps", "detector=magic", "fsp=5"])
def test_an_option_that_cannot_be_used_is_named(clip, option):
    with pytest.raises(SourceError, match=option.partition("=")[0]):
        parse_list(f"clip={clip}?{option}")


def test_a_fifo_is_not_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match="not a regular file"):
        parse_list(f"a={tmp_path}/fifo")


def test_a_folder_without_pictures_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="no pictures"):
        parse_list(f"a={tmp_path}")


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("rtsp://user:secret@host:554/live", "rtsp://host:554/live"),
        ("rtsp://user:sec@ret@host/live", "rtsp://host/live"),
        ("http://host/mjpg?token=secret", "http://host/mjpg?***"),
        ("rtsp://user:12/secret@host/", "rtsp://***"),
        ("rtsp://user:12?secret@host/", "rtsp://***"),
        ("rtsp://user:12#secret@host/", "rtsp://***"),
        ("rtsp://user:12@host/secret@x", "rtsp://***"),
        ("rtsp://user:se@cr/et@host/x", "rtsp://***"),
    ],
)
def test_the_safe_address_has_no_credentials(address, safe):
    assert parse_list(f"door={address}")[0].safe == safe


@pytest.mark.parametrize(
    "text",
    [
        "door=rtsp://user:hunter2,x@host/",
        "a=gopher://user:hunter2@host/",
        "a=rtsp://user:hunter2/x@host",
        "hunter2=0,rtsp://",
    ],
)
def test_no_error_shows_a_password(text):
    with pytest.raises(SourceError) as raised:
        parse_list(text)
    assert "hunter2" not in str(raised.value)


def test_none_means_no_source_at_all():
    assert parse_list("none") == ()


def test_a_sources_toml_replaces_the_list(tmp_path, clip):
    file = tmp_path / "sources.toml"
    file.write_text(
        f'[sources.door]\nurl = "rtsp://user:a,b@host/"\nfps = 5\ndetector = "haar"\n'
        f'[sources.clip]\nurl = "{clip}"\nloop = true\n[sources.front]\nurl = 0\n'
    )

    specs = configured(CaptureSettings(sources="other=0", sources_file=file))

    assert specs == (
        SourceSpec("door", "stream", "rtsp://user:a,b@host/", fps=5, detector="haar"),
        SourceSpec("clip", "file", str(clip), loop=True),
        SourceSpec("front", "webcam", "0"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sources.a]\nfps = 1", "url is missing"),
        ("[sources.a]\nurl = true", "url is missing"),
        ("[sources.a]\nurl = 0\nloop = true", "only a file or a folder can loop"),
        ("[sources.a]\nurl = 0\nspeed = 1", "option speed: unknown"),
        ("sources = 3", r"\[sources.NAME\]"),
        ("[sources.a", "EMOTII_SOURCES_FILE"),
    ],
)
def test_a_bad_sources_toml_is_one_line(tmp_path, text, message):
    file = tmp_path / "sources.toml"
    file.write_text(text)
    with pytest.raises(SourceError, match=message):
        configured(CaptureSettings(sources_file=file))


def test_a_missing_sources_toml_is_reported(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        configured(CaptureSettings(sources_file=tmp_path / "sources.toml"))


def test_a_recording_processes_a_file_for_each_pass(clip):
    assert recording(str(clip), passes=3) == SourceSpec("job", "file", str(clip), passes=3)
    with pytest.raises(SourceError, match="passes"):
        recording(str(clip), passes=0)


def test_specs_and_settings_go_to_other_processes(clip):
    spec, settings = recording(str(clip)), CaptureSettings(sources="a=0")
    assert pickle.loads(pickle.dumps((spec, settings))) == (spec, settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMOTII_DETECTOR", "magic"),
        ("EMOTII_STALL_TIMEOUT", "1ms"),
        ("EMOTII_CROP_LIFE", "soon"),
        ("EMOTII_BACKLOG_LIMIT", "0"),
        ("EMOTII_VIEW_QUALITY", "101"),
    ],
)
def test_a_setting_out_of_its_bounds_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}={value}"):
        load(CaptureSettings)
