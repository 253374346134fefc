from pathlib import Path

import kagglehub
import pytest
from kagglehub import exceptions

from training.datasets.download import HANDLE, download
from training.datasets.faces import DatasetError


def test_the_folder_that_kagglehub_returns_is_the_dataset(monkeypatch, tmp_path):
    handles: list[str] = []
    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: handles.append(handle) or str(tmp_path))

    assert download() == Path(tmp_path)
    assert handles == [HANDLE] == ["samithsachidanandan/human-face-emotions"]


@pytest.mark.parametrize(
    "refusal",
    [
        ConnectionError("no route to Kaggle"),
        exceptions.UnauthenticatedError("no key"),
        exceptions.NotFoundError("gone"),
    ],
    ids=["no network", "no key", "gone"],
)
def test_a_refused_download_is_one_line_with_the_reason_and_two_alternatives(monkeypatch, refusal):
    def refuse(handle: str) -> str:
        raise refusal

    monkeypatch.setattr(kagglehub, "dataset_download", refuse)

    with pytest.raises(DatasetError) as caught:
        download()

    words = str(caught.value)
    assert str(refusal).splitlines()[0] in words
    assert "kaggle.json" in words
    assert "--data FOLDER" in words
    assert "\n" not in words
