import json

import pytest

from contract.errors import ModelError
from contract.judgement import Thresholds
from contract.model.folder import MODEL_FILE, ModelFolder, find_model
from tests.inference import write_tiny_model


@pytest.fixture
def folder(tmp_path):
    return write_tiny_model(tmp_path / "tiny")


def change(folder, **values):
    path = folder / MODEL_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_model_is_found_by_name_and_by_path(folder):
    assert find_model("tiny", folder.parent).card.id == "tiny@1.0.0"
    assert find_model(str(folder)).read(".onnx") == (folder / "tiny.onnx").read_bytes()


def test_a_model_of_an_older_release_has_no_thresholds_and_one_of_this_release_has_them(folder):
    assert ModelFolder.open(folder).card.uncertain is None
    change(folder, uncertain={"min_probability": 0.5, "min_margin": 0.1, "precision": 0.95})
    assert ModelFolder.open(folder).card.uncertain == Thresholds(min_probability=0.5, min_margin=0.1, precision=0.95)


def test_the_error_for_an_unknown_name_lists_the_available_names(folder):
    with pytest.raises(ModelError, match=r"no model called 'tiny-2'; there are: tiny"):
        find_model("tiny-2", folder.parent)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="no model in"):
        find_model(str(tmp_path))


def test_a_file_with_another_hash_than_the_released_one_is_refused(folder):
    with (folder / "tiny.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        ModelFolder.open(folder).read(".onnx")


def test_a_truncated_file_is_refused(folder):
    (folder / "tiny.onnx").write_bytes((folder / "tiny.onnx").read_bytes()[:50])
    with pytest.raises(ModelError, match="SHA-256"):
        ModelFolder.open(folder).read(".onnx")


def test_a_missing_file_is_named(folder):
    (folder / "tiny.onnx").unlink()
    with pytest.raises(ModelError, match=r"tiny\.onnx: No such file"):
        ModelFolder.open(folder).read(".onnx")


def test_a_kind_of_file_that_the_model_does_not_have_is_named(folder):
    with pytest.raises(ModelError, match=r"names no \.keras file"):
        ModelFolder.open(folder).read(".keras")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"format": 2}, "format"),
        ({"labels": ["happy"]}, "labels"),
        ({"labels": ["happy", "happy"]}, "labels repeat"),
        ({"labels": ["happy", "../../etc"]}, "labels"),
        ({"input_shape": [64, 64, 3]}, "input_shape"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"labels": ["happy", "uncertain"]}, "uncertain"),
        ({"uncertain": {"min_probability": 1.5, "min_margin": 0.1, "precision": 0.95}}, "uncertain.min_probability"),
        ({"uncertain": {"min_probability": 0.5}}, "uncertain.min_margin"),
        ({"files": {"../other.onnx": "0" * 64}}, "files"),
        ({"files": {"/etc/passwd": "0" * 64}}, "files"),
        ({"files": {"a.onnx": "abc"}}, "files"),
        ({"version": "new"}, "version"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_value_that_the_format_does_not_allow_is_named(folder, values, named):
    change(folder, **values)
    with pytest.raises(ModelError, match=named):
        ModelFolder.open(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_a_model_file_that_is_no_json_object_is_refused_in_one_line(folder, text):
    (folder / MODEL_FILE).write_text(text)
    with pytest.raises(ModelError) as error:
        ModelFolder.open(folder)
    assert "\n" not in str(error.value)
