"""The expression of every face in a picture, in this process, without Redis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture_service import detectors
from capture_service.detectors import Detection
from capture_service.faces.quality import judge as judge_crop
from capture_service.frame import Picture
from capture_service.settings import CaptureSettings
from capture_service.sources.image_decoding import decode
from contract.errors import PictureError
from contract.judgement import Judgement, judge
from contract.messages import Box, Quality
from contract.model.framing import frame_face
from contract.service.settings import load
from inference_service.engines import Engine
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings


@dataclass(frozen=True)
class Prediction:
    """One face of a picture. `crop` (48, 48) uint8 is what the network saw."""

    picture: Path
    box: Box
    probabilities: dict[str, float]
    judgement: Judgement
    quality: Quality
    crop: NDArray[np.uint8]

    def as_json(self) -> dict[str, Any]:
        return {
            "box": [round(number, 1) for number in self.box],
            "emotion": self.judgement.emotion,
            "between": self.judgement.between,
            "confidence": self.judgement.confidence,
            "probabilities": {label: round(value, 4) for label, value in self.probabilities.items()},
            "flaws": self.quality.flaws,
        }

    def __str__(self) -> str:
        judgement, flaws = self.judgement, ", ".join(self.quality.flaws)
        words = judgement.emotion if judgement.certain else f"{judgement.emotion}, {judgement.words}"
        return f"{words} {judgement.confidence:.1f}%" + (f" ({flaws})" if flaws else "")


def predict(pictures: Iterable[Path]) -> Iterator[tuple[Path, list[Prediction] | PictureError]]:
    """Each picture with its faces, largest first; or with what is wrong with it, so that one spoils no other.

    Detector, model and engine are those that the settings name.

    Raises:
        EmotiiError: a setting cannot be used.
    """
    settings = load(CaptureSettings)
    detector = detectors.configured(settings)
    engine = load_engine(load(InferenceSettings, batch=1))
    for path in pictures:
        try:
            picture = read_picture(path, settings.picture_max_bytes)
        except PictureError as error:
            yield path, error
            continue
        found = sorted(detector.detect(picture), key=lambda detection: -detection.box[2] * detection.box[3])
        yield path, [_prediction(path, picture, detection, engine) for detection in found]


def read_picture(path: Path, max_bytes: int) -> Picture:
    """A picture file as BGR (h, w, 3) uint8, turned as its EXIF says.

    Raises:
        PictureError: there is no such file, or it holds no picture, or one that is too large.
    """
    try:
        return decode(path.read_bytes(), max_bytes)
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror}") from error
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error


def _prediction(path: Path, picture: Picture, detection: Detection, engine: Engine) -> Prediction:
    height, width = picture.shape[:2]
    face = frame_face(picture, detection.box, detection.landmarks)
    probabilities = dict(zip(engine.card.labels, engine.classify(face[np.newaxis])[0].tolist(), strict=True))
    judgement = judge(probabilities, engine.card.uncertain)
    return Prediction(path, detection.box, probabilities, judgement, judge_crop(face, detection, width, height), face)
