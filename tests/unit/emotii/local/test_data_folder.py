"""The data folder: nothing is left of it where nothing was stored."""

import pytest

from contract.errors import SettingsError
from emotii.local.data_folder import DataFolderLocked, locked


def test_a_folder_that_was_created_for_nothing_is_removed(tmp_path):
    folder = tmp_path / ".emotii"
    with pytest.raises(SettingsError), locked(folder):
        raise SettingsError("port 5000 is taken")
    assert not folder.exists()


def fail_after_writing(file):
    file.write_text("readings")
    raise SettingsError("an error after something was stored")


def test_a_folder_that_was_there_or_that_holds_something_stays(tmp_path):
    folder = tmp_path / ".emotii"
    with pytest.raises(SettingsError), locked(folder):
        fail_after_writing(folder / "history.db")
    assert (folder / "history.db").exists()
    (folder / "history.db").unlink()
    with pytest.raises(SettingsError), locked(folder):
        raise SettingsError("it was there before")
    assert folder.is_dir()


def test_one_process_at_a_time_uses_it_and_the_other_removes_nothing(tmp_path):
    folder = tmp_path / ".emotii"
    with locked(folder):
        with pytest.raises(DataFolderLocked), locked(folder):
            pass
        assert (folder / "lock").exists()
