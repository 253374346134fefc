"""The videos of benchmarks, generated when they are needed."""

import math
import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from capture_service.demo.make_clip import BACKGROUND, HEIGHT, WIDTH, place, portraits
from capture_service.frame import Picture

CLASSROOM = "videos/classroom.gif"
FPS = 30
SECONDS = 10
NOISES = 8
"""Different noise, so that no two consecutive frames are equal, as from a camera."""


def classroom(folder: Path) -> Path | None:
    """`classroom.gif` at 640 wide: four people, 45 frames. None without the test data (EMOTII_TEST_DATA)."""
    data = os.environ.get("EMOTII_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")
    if not (gif := Path(data) / CLASSROOM).is_file():
        return None
    source, pictures = cv2.VideoCapture(str(gif), cv2.CAP_FFMPEG), []
    while (read := source.read())[0]:
        height, width = read[1].shape[:2]
        size = WIDTH, round(height * WIDTH / width)
        pictures.append(cv2.resize(read[1], size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
    source.release()
    return _written(folder / "classroom.mp4", pictures)


def one_face(folder: Path) -> Path:
    """640x480 at 30 frames a second: one person in front of a camera, who moves and turns like a seated person."""
    (portrait, *_), pictures = portraits(), []
    noise = np.random.default_rng(1).normal(0, 2, (NOISES, HEIGHT, WIDTH, 3)).astype(np.float32)
    for number in range(FPS * SECONDS):
        turn = 2 * math.pi * number / (FPS * SECONDS)
        canvas = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.float32)
        middle = 320 + 25 * math.sin(2 * turn) + 4 * math.sin(9 * turn), 245 + 10 * math.sin(3 * turn)
        place(canvas, portrait, middle, 300 + 12 * math.cos(turn))
        canvas += noise[number % NOISES]
        pictures.append(np.clip(canvas, 0, 255).astype(np.uint8))
    return _written(folder / "one-face.mp4", pictures)


def _written(path: Path, pictures: Iterable[Picture]) -> Path:
    writer: cv2.VideoWriter | None = None
    for picture in pictures:
        if writer is None:
            size = picture.shape[1], picture.shape[0]
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
        writer.write(picture)
    if writer is not None:
        writer.release()
    return path
