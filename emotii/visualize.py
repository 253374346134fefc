"""`emotii visualize`: what the network looks at in a face."""

from pathlib import Path

import cv2

from capture_service.detectors import load as load_detector
from capture_service.settings import CaptureSettings
from contract.errors import PictureError
from contract.messages import Box
from contract.model import find_model
from contract.preprocessing import crop, cut, framing_square
from contract.settings import load
from emotii.predict import read_picture
from inference_service.settings import InferenceSettings
from training.explanation.network import Network
from training.explanation.sheet import explain

SHOWN_PIXELS = 360
"""Side of the face on the sheet."""


def visualize_picture(path: Path, sheet: Path, model: str | None, face: int, *, whole: bool) -> None:
    """Write the sheet of one face of a picture.

    Args:
        path: the picture.
        sheet: where the sheet goes.
        model: a name or a folder; by default the one of EMOTII_MODEL.
        face: which face, 1 being the largest.
        whole: the picture is a face already, as training pictures are.

    Raises:
        PictureError: it is no picture, or has no such face.
        ModelError: the model cannot be had or explained.
        SettingsError: the sheet cannot be written.
    """
    picture = read_picture(path)
    height, width = picture.shape[:2]
    square: Box = (0, 0, width, height)
    if not whole:
        detector = load_detector(load(CaptureSettings).detector)
        found = sorted(detector.detect(picture), key=lambda detection: -detection.box[2] * detection.box[3])
        if face > len(found):
            raise PictureError(f"{path}: {len(found)} faces found, so there is no face {face} (--whole takes it all)")
        square = framing_square(found[face - 1].box)
    network = Network.open(find_model(load(InferenceSettings, model=model).model))
    shown = cv2.resize(cut(picture, square), (SHOWN_PIXELS, SHOWN_PIXELS), interpolation=cv2.INTER_AREA)
    explain(network, shown.astype("uint8", copy=False), crop(picture, square), sheet)
