"""The export of saved faces as a dataset."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from api_gateway.faces.filename import FaceName
from api_gateway.faces.store import FaceStore
from capture_service import detectors
from capture_service.detectors import Detection
from contract.errors import SettingsError
from contract.model.preprocessing import cut, framing_square
from emotii.commands.models import app
from emotii.models.saved_faces import PIXELS, export
from tests.stage import clip_frames
from training.datasets.left_out import LeftOut

AT = datetime(2026, 1, 31, tzinfo=UTC)


class NoFaces:
    def detect(self, _picture: np.ndarray) -> list[Detection]:
        return []


def a_face() -> bytes:
    frame = clip_frames(1)[0]
    box = detectors.load("blazeface").detect(frame)[0].box
    return cv2.imencode(".jpg", cut(frame, framing_square(box)))[1].tobytes()


def saved(folder: Path, *emotions: str, jpeg: bytes | None = None) -> list[FaceName]:
    jpeg = jpeg if jpeg is not None else cv2.imencode(".jpg", np.full((40, 40, 3), 90, np.uint8))[1].tobytes()
    store = FaceStore(folder)
    return [store.save(jpeg, FaceName(one, 80.0, AT + timedelta(seconds=n))) for n, one in enumerate(emotions)]


def test_faces_are_exported_by_emotion_and_labelled_faces_by_label(tmp_path: Path):
    happy, *_ = saved(tmp_path / "faces", "happy", "happy", "sad", "uncertain", "uncertain")
    unsure = FaceStore(tmp_path / "faces").newest("uncertain")[0][0]
    FaceStore(tmp_path / "faces").label(happy, "angry")
    FaceStore(tmp_path / "faces").label(unsure, "sad")
    done = export(tmp_path / "faces", tmp_path / "out", NoFaces())
    assert done.faces == {"angry": 1, "happy": 1, "sad": 2}
    assert (done.left_out, done.as_saved, done.unreadable) == (1, 4, [])
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("*.png")) == ["angry", "happy", "sad", "sad"]
    only = export(tmp_path / "faces", tmp_path / "labelled", NoFaces(), relabelled_only=True)
    assert only.faces == {"angry": 1, "sad": 1}


def test_an_exported_face_is_framed_as_for_inference(tmp_path: Path):
    saved(tmp_path / "faces", "happy", jpeg=a_face())
    detector = detectors.load("blazeface")
    done = export(tmp_path / "faces", tmp_path / "out", detector)
    assert done.as_saved == 0
    (file,) = (tmp_path / "out").rglob("*.png")
    picture = cv2.imread(str(file))
    assert picture.shape == (PIXELS, PIXELS, 3)
    (found,) = detector.detect(cv2.copyMakeBorder(picture, 48, 48, 48, 48, cv2.BORDER_REPLICATE))
    eyes = (np.array(found.landmarks.right_eye) + np.array(found.landmarks.left_eye)) / 2 - 48
    assert abs(eyes[0] - PIXELS / 2) < PIXELS * 0.1
    assert abs(found.landmarks.right_eye[1] - found.landmarks.left_eye[1]) < PIXELS * 0.08, "upright"


def test_files_that_are_not_pictures_are_reported(tmp_path: Path):
    saved(tmp_path / "faces", "happy")
    (broken,) = saved(tmp_path / "faces", "sad", jpeg=b"no picture")
    done = export(tmp_path / "faces", tmp_path / "out", NoFaces())
    assert done.unreadable == [LeftOut(f"sad/{broken}", "not a readable picture")]
    assert done.faces == {"happy": 1}


def test_a_failed_export_is_reported_and_leaves_no_files(tmp_path: Path):
    with pytest.raises(SettingsError, match="the folder does not exist"):
        export(tmp_path / "none", tmp_path / "out", NoFaces())
    saved(tmp_path / "faces", "happy")
    with pytest.raises(SettingsError, match="none of 1 saved faces is labelled"):
        export(tmp_path / "faces", tmp_path / "out", NoFaces(), relabelled_only=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("")
    with pytest.raises(SettingsError, match="it exists"):
        export(tmp_path / "faces", tmp_path / "full", NoFaces())
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="Not a directory"):
        export(tmp_path / "faces", tmp_path / "file" / "out", NoFaces())
    saved(tmp_path / "broken", "sad", jpeg=b"no picture")
    with pytest.raises(SettingsError, match="none of 1 files"):
        export(tmp_path / "broken", tmp_path / "out", NoFaces())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "faces", "file", "full"]


def test_the_command_prints_what_it_wrote_and_the_next_command(tmp_path: Path):
    saved(tmp_path / "faces", "happy", "sad")
    saved(tmp_path / "faces", "sad", jpeg=b"no picture")
    (tmp_path / "faces" / "happy" / "IMG_0001.jpg").write_bytes(b"a person's own")
    out = tmp_path / "mine"
    result = CliRunner().invoke(app, ["dataset", "export", "--faces", str(tmp_path / "faces"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "happy 1, sad 1" in result.output
    assert "left out, not a readable picture: sad/sad_80.0" in result.output
    assert "left out, not the name of a saved face: happy/IMG_0001.jpg" in result.output
    assert f"emotii train --data {out} --from emotii-8" in result.output
