"""The loop of the first Emotii, in one process, without pauses.

    python -m benchmarks.comparisons.old_loop VIDEO

It reads a frame, detects faces with the Haar cascade, calls `model.predict` for each face, draws, and encodes. Each
line on stdin is a number of frames to process; the answer is one line of JSON: frames, faces, wall_s, cpu_s. The end
of stdin ends it.
"""

import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from contract.model.folder import find_model
from contract.model.preprocessing import resize
from inference_service.settings import InferenceSettings

GREEN = (0, 255, 0)
CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"


class OldLoop:
    """The loop with everything that it loads; the video repeats."""

    def __init__(self, video: str) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        from contract.model.keras import load_network

        self._model = find_model(InferenceSettings.model_fields["model"].default)
        self._network = load_network(self._model)
        self._predict(np.zeros((48, 48), np.uint8))
        self._cascade = cv2.CascadeClassifier(str(CASCADE))
        self._video = video
        self._source = cv2.VideoCapture(video)

    def run(self, frames: int) -> dict[str, float]:
        """Process `count` frames."""
        wall, cpu = time.perf_counter(), time.process_time()
        faces = sum(self._frame() for _ in range(frames))
        spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        return {"frames": frames, "faces": faces, **spent}

    def _frame(self) -> int:
        read, picture = self._source.read()
        if not read:
            self._source = cv2.VideoCapture(self._video)
            _, picture = self._source.read()
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        faces = self._cascade.detectMultiScale(gray, 1.1, 5)
        for left, top, width, height in faces:
            label = self._predict(gray[top : top + height, left : left + width])
            cv2.rectangle(picture, (left, top), (left + width, top + height), GREEN, 2)
            cv2.putText(picture, label, (left, top - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.9, GREEN, 2)
        cv2.imencode(".jpg", picture)
        return len(faces)

    def _predict(self, face: np.ndarray) -> str:
        card = self._model.card
        crop = resize(face.astype(np.uint8, copy=False))[np.newaxis]
        return card.labels[int(np.argmax(self._network.predict(card.normalisation.apply(crop), verbose=0)))]


if __name__ == "__main__":
    loop = OldLoop(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(loop.run(int(line))), flush=True)
