"""Files that are complete or absent."""

import os
import re
from pathlib import Path

import pytest

from contract.atomic_file import AtomicFile, TextFile, check_outputs, write_atomically
from contract.errors import SettingsError

FULL_DISK = Path("/dev/full")


def test_the_file_is_in_its_place_only_after_success(tmp_path):
    path = tmp_path / "a.csv"
    whole = AtomicFile(path)
    with whole, TextFile(whole) as file:
        file.write("all of it")
        file.flush()
        (partial,) = tmp_path.iterdir()
        assert re.fullmatch(r"a\.[0-9a-f]{8}\.partial\.csv", partial.name)
    assert path.read_text() == "all of it"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    whole = AtomicFile(path)
    with pytest.raises(ZeroDivisionError), whole, TextFile(whole) as file:
        file.write(str(1 / 0))
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not FULL_DISK.exists(), reason="not Linux: no /dev/full")
@pytest.mark.parametrize("size", [10, 1_000_000], ids=["at its end", "in the middle"])
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path, size):
    whole = AtomicFile(tmp_path / "a.csv")
    os.unlink(whole.partial)
    whole.partial.symlink_to(FULL_DISK)
    with pytest.raises(SettingsError, match=r"cannot write .*a.csv: No space left on device"), whole:  # noqa: SIM117
        with TextFile(whole) as file:
            file.write("x" * size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", ".", "folder", "folder/..", "/"])
def test_a_folder_in_place_of_the_file_is_refused(tmp_path, monkeypatch, name):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="it is a folder"):
        AtomicFile(Path(name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_two_writers_of_the_same_file_both_succeed_and_the_last_one_wins(tmp_path):
    path = tmp_path / "a.csv"
    first, second = AtomicFile(path), AtomicFile(path)
    with second as other:
        with first as one:
            one.write_text("first")
        assert path.read_text() == "first"
        other.write_text("second")
    assert path.read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_of_the_user_with_a_temporary_name_stays(tmp_path):
    (tmp_path / "a.partial.csv").write_text("of the user")
    write_atomically(tmp_path / "a.csv", b"ours")
    assert (tmp_path / "a.partial.csv").read_text() == "of the user"


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    real, link = tmp_path / "folder" / "real.csv", tmp_path / "link.csv"
    real.parent.mkdir()
    link.symlink_to(real)
    for content in ("new", "newer"):  # the link points to nothing at first
        write_atomically(link, content.encode())
        assert link.is_symlink()
        assert real.read_text() == content
    assert [entry.name for entry in real.parent.iterdir()] == ["real.csv"]


def test_a_file_that_others_cannot_read_stays_so(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    path.chmod(0o600)
    write_atomically(path, b"after")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_a_pipe_and_a_loop_of_links_are_refused_and_stay(tmp_path):
    pipe, loop, device = tmp_path / "pipe", tmp_path / "loop", tmp_path / "device"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    device.symlink_to(os.devnull)
    for path in (pipe, device, Path(os.devnull)):
        with pytest.raises(SettingsError, match="it is a device, a pipe or a socket"):
            AtomicFile(path)
    with pytest.raises(SettingsError, match=r"cannot write .*loop"):
        AtomicFile(loop)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["device", "loop", "pipe"]
    assert Path(os.devnull).is_char_device()


def test_an_open_pipe_that_is_named_like_dev_stdout_is_refused_as_a_pipe():
    ends = os.pipe()
    try:
        with pytest.raises(SettingsError, match="it is a device, a pipe or a socket"):
            AtomicFile(Path(f"/dev/fd/{ends[1]}"))
    finally:
        for end in ends:
            os.close(end)


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("\u00e4" * 125 + ".csv")
    write_atomically(path, b"all")
    assert path.read_bytes() == b"all"


@pytest.mark.parametrize("kind", ["the file", "a link", "a hard link", "a link to a link", "another spelling"])
def test_an_output_that_is_an_input_is_refused(tmp_path, kind):
    clip, other = tmp_path / "clip.webm", tmp_path / "other.webm"
    clip.write_text("the recording")
    match kind:
        case "the file":
            other = clip
        case "a link":
            other.symlink_to(clip)
        case "a hard link":
            other.hardlink_to(clip)
        case "a link to a link":
            (tmp_path / "middle").symlink_to(clip)
            other.symlink_to("middle")
        case _:
            other = tmp_path / "." / "nothing" / ".." / "clip.webm"
    with pytest.raises(SettingsError, match="it is an input"):
        check_outputs([tmp_path / "fine.csv", other], [clip])
    with pytest.raises(SettingsError, match="it is an input"):
        check_outputs([clip], [other])


def test_outputs_that_only_capitals_or_the_form_of_a_letter_distinguish_are_refused(tmp_path):
    for one, other in (("a.csv", "A.csv"), ("\u00e4.csv", "a\u0308.csv")):
        with pytest.raises(SettingsError, match="the same name"):
            check_outputs([tmp_path / one, tmp_path / other])
    check_outputs([tmp_path / "a.csv", tmp_path / "folder" / "A.csv"])


def test_two_outputs_that_are_links_to_one_file_are_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).symlink_to("real.csv")
    with pytest.raises(SettingsError, match="the same name"):
        check_outputs([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_a_picture_in_a_folder_of_pictures_to_read_is_refused_and_a_table_is_not(tmp_path):
    with pytest.raises(SettingsError, match="are inputs"):
        check_outputs([tmp_path / "timeline.png"], [tmp_path], [tmp_path])
    check_outputs([tmp_path / "faces.csv", tmp_path / "below" / "timeline.png"], [tmp_path], [tmp_path])
