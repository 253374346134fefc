"""Files that are complete or absent."""

import os
from pathlib import Path

import pytest

from contract.atomic_file import AtomicFile, TextFile
from contract.errors import SettingsError

FULL_DISK = Path("/dev/full")


def test_the_file_is_in_its_place_only_after_success(tmp_path):
    path = tmp_path / "a.csv"
    whole = AtomicFile(path)
    with whole, TextFile(whole) as file:
        file.write("all of it")
        file.flush()
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.csv"]
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
