r"""What framing by eyes and mouth does, compared with 1.5 times the detector's box: the tables of docs/models.md.

    python benchmarks/experiments/framing.py --model emotii-5 --data faces-valid.npz --half b \
        --video classroom.gif --video demo

Labelled faces are enlarged four times, surrounded by their repeated edge, optionally turned by up to 25 degrees,
detected again and cut again, so that any loss of accuracy is due to framing. The repeated edge is not a real
background, which is a disadvantage for a wide framing.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from capture_service.detectors import Detection, Detector
from capture_service.detectors import load as load_detector
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from contract.model.framing import frame_face
from contract.model.preprocessing import crop, framing_square
from contract.service.settings import load
from inference_service.engines import Engine
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from training.datasets.dataset import Faces
from training.evaluation.faces import Half, read_known
from training.evaluation.scores import score

SCALE, BORDER = 4, 96
ROLLS = (0, 25)
Picture = NDArray[np.uint8]


def by_box(picture: Picture, face: Detection) -> Picture:
    """The crop by the box alone."""
    return crop(picture, framing_square(face.box))


def by_points(picture: Picture, face: Detection) -> Picture:
    """The crop that is served."""
    return frame_face(picture, face.box, face.landmarks)


FRAMINGS = {"1.5 x box": by_box, "eyes and mouth": by_points}


def main(
    data: Annotated[Path, typer.Option(help="An .npz with votes, or class folders.")],
    model: Annotated[str, typer.Option()] = "emotii-5",
    half: Annotated[Half | None, typer.Option()] = "b",
    video: Annotated[list[str] | None, typer.Option(help="Recordings; `demo` is the bundled clip.")] = None,
) -> None:
    """Print the positions of the points, the accuracy of each framing, and the readings on recordings."""
    engine = load_engine(load(InferenceSettings, model=model, batch=128, precision="f32", threads=0))
    detector = load_detector("blazeface")
    faces = read_known(data, engine.card.labels, half=half)
    show_points(faces, detector)
    for roll in ROLLS:
        show_scores(faces, roll, detector, engine)
    for name in video or []:
        show_counts(name, detector, engine)


def show_points(faces: Faces, detector: Detector) -> None:
    """The positions of eyes and mouth on labelled faces, in sides of the crop."""
    spreads, middles = [], []
    for image in faces.images:
        found = detector.detect(pasted(image, 0))
        if found and (landmarks := found[0].landmarks):
            right, left, mouth = (
                (np.array(place) - BORDER) / (SCALE * 48)
                for place in (landmarks.right_eye, landmarks.left_eye, landmarks.mouth)
            )
            eyes = (right + left) / 2
            spreads.append(max(np.linalg.norm(left - right), np.linalg.norm(mouth - eyes)))
            middles.append((eyes + mouth) / 2)
    middle = np.median(middles, axis=0)
    print(f"{len(spreads)} of {len(faces)} faces: spread {np.median(spreads):.4f}, middle {middle.round(4).tolist()}")


def show_scores(faces: Faces, roll: int, detector: Detector, engine: Engine) -> None:
    """Accuracy on labelled faces that were detected and cut again."""
    rng = np.random.default_rng(5)
    crops: dict[str, list[Picture]] = {"as it was": [], **{name: [] for name in FRAMINGS}}
    labels = []
    for image, label in zip(faces.images, faces.labels, strict=True):
        picture = pasted(image, rng.uniform(-roll, roll))
        if found := detector.detect(picture):
            labels.append(label)
            crops["as it was"].append(image)
            for name, framed in FRAMINGS.items():
                crops[name].append(framed(picture, found[0]))
    for name, cut in crops.items():
        scores = score(engine.classify(np.stack(cut)), np.array(labels), faces.emotions)
        print(f"turned by up to {roll}, {name}: {scores}")


def show_counts(name: str, detector: Detector, engine: Engine) -> None:
    """The labels on a recording, and their stability."""
    crops: dict[str, list[Picture]] = {framing: [] for framing in FRAMINGS}
    for picture in pictures(name):
        for face in detector.detect(picture):
            for framing, framed in FRAMINGS.items():
                crops[framing].append(framed(picture, face))
    for framing, cut in crops.items():
        read = [engine.card.labels[place] for place in engine.classify(np.stack(cut)).argmax(axis=1)]
        counts = ", ".join(f"{label} {count}" for label, count in Counter(read).most_common())
        print(f"{Path(name).stem}, {framing}, {len(cut)} faces: {counts}")


def pictures(name: str) -> Iterator[Picture]:
    """The readable frames of a recording."""
    source = make_recorded(recording(name), load(CaptureSettings))
    source.open()
    while (frame := source.read()) is not None:
        if frame.picture is not None:
            yield frame.picture


def pasted(image: Picture, roll: float) -> Picture:
    """A 48 x 48 face, enlarged in the middle of a picture (384, 384, 3) and turned by `degrees`."""
    large = cv2.resize(image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    around = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    side = len(around)
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), roll, 1)
    turned = cv2.warpAffine(around, turn, (side, side), borderMode=cv2.BORDER_REPLICATE) if roll else around
    return np.repeat(turned[:, :, np.newaxis], 3, axis=2)


if __name__ == "__main__":
    typer.run(main)
