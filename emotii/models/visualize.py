"""`emotii visualize`: explains what the network uses in a face."""

from pathlib import Path

import cv2

from capture_service import detectors
from capture_service.settings import CaptureSettings
from contract.atomic_file import check_outputs
from contract.errors import PictureError
from contract.model.folder import find_model
from contract.model.framing import frame_face, show_face
from contract.model.preprocessing import crop
from contract.service.settings import load
from emotii.pictures.prediction import largest_first, read_picture
from inference_service.settings import InferenceSettings
from training.explanation.network import Network
from training.explanation.sheet import explain

SHOWN_PIXELS = 360
"""Side of the face on the sheet."""


def visualize_picture(path: Path, sheet: Path, model: str | None, face: int, *, whole: bool) -> None:
    """Write the explanation sheet for one face of a picture.

    Args:
        path: the picture.
        sheet: the file to write.
        model: a name or a folder; by default the one of EMOTII_MODEL.
        face: which face, 1 being the largest.
        whole: the whole picture is one face, as training pictures are.

    Raises:
        PictureError: the file is not a picture, or has no such face.
        ModelError: the model cannot be loaded or explained.
        SettingsError: the sheet cannot be written.
    """
    check_outputs([sheet], [path])
    settings = load(CaptureSettings)
    picture = read_picture(path, settings.picture_max_bytes)
    if whole:
        height, width = picture.shape[:2]
        shown = cv2.resize(picture, (SHOWN_PIXELS, SHOWN_PIXELS)).astype("uint8", copy=False)
        seen = crop(picture, (0, 0, width, height))
    else:
        detector = detectors.configured(settings)
        found = largest_first(detector.detect(picture))
        if face > len(found):
            raise PictureError(
                f"{path}: {len(found)} faces found, so there is no face {face} (--whole uses the whole picture)"
            )
        chosen = found[face - 1]
        shown = show_face(picture, chosen.box, chosen.landmarks, SHOWN_PIXELS)
        seen = frame_face(picture, chosen.box, chosen.landmarks)
    network = Network.open(find_model(load(InferenceSettings, model=model).model))
    explain(network, shown, seen, sheet)
