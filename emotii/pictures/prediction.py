"""Prediction of the expressions in pictures, in this process, without Redis."""

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
from capture_service.sources.image_decoding import decode_file
from contract.errors import PictureError
from contract.judgement import Judgement, judge
from contract.messages import Box, Quality
from contract.model.framing import frame_face
from contract.printable import printable
from contract.service.settings import load
from inference_service.engines import Engine
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings


@dataclass(frozen=True)
class Prediction:
    """The prediction for one face. `crop` (48, 48) uint8 is the input of the network."""

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
    """Each picture with its faces, largest first, or with its error.

    The settings select detector, model and engine.

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
        yield path, [_prediction(path, picture, face, engine) for face in largest_first(detector.detect(picture))]


def read_picture(path: Path, max_bytes: int) -> Picture:
    """A picture file as BGR (h, w, 3) uint8, rotated as its EXIF orientation states.

    Raises:
        PictureError: the file does not exist, is not a picture, or is too large.
    """
    try:
        return decode_file(path, max_bytes)
    except PictureError as error:
        raise PictureError(f"{printable(path)}: {error}") from error


def largest_first(detections: Iterable[Detection]) -> list[Detection]:
    """The detections by the area of their boxes."""
    return sorted(detections, key=lambda detection: -detection.box[2] * detection.box[3])


def _prediction(path: Path, picture: Picture, detection: Detection, engine: Engine) -> Prediction:
    height, width = picture.shape[:2]
    face = frame_face(picture, detection.box, detection.landmarks)
    probabilities = dict(zip(engine.card.labels, engine.classify(face[np.newaxis])[0].tolist(), strict=True))
    judgement = judge(probabilities, engine.card.uncertain)
    return Prediction(path, detection.box, probabilities, judgement, judge_crop(face, detection, width, height), face)
