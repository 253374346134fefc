"""Shared by the tests of an analysis: frames with their outcomes, and a recording that needs no camera."""

from pathlib import Path

import cv2
import numpy as np

from contract.judgement import Thresholds
from contract.messages import Face, FrameDone, FrameId, Quality, Reading
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.outcomes import FrameOutcome, UnclassifiedFace
from jobs_service.outputs.outputs import Outputs
from postprocessing.parameters import SmoothingParameters

LABELS = ("awake", "dozing", "tired")
"""No shipped model has these labels."""
QUALITY = Quality(0.5, 0.5, 80.0, 0.0, 1.0)
THRESHOLDS = Thresholds(min_probability=0.5, min_margin=0.1, precision=0.95)
STEP_MS = 40


def reading(frame: int, track: int = 1, awake: float = 0.9, index: int = 0, quality: Quality = QUALITY) -> Reading:
    face = Face(index, track, (20.0 + 4 * frame % 60, 30.0, 40.0, 44.0), 0.9, quality)
    rest = (1 - awake) / 2
    probabilities = (awake, rest, rest)
    name = FrameId("job-1", "e", frame)
    return Reading(name, face, STEP_MS * frame, "mine@1.0.0", LABELS, probabilities, "w", 0, 0, THRESHOLDS)


def outcome(frame: int, *faces: Reading | UnclassifiedFace, note: str = "") -> FrameOutcome:
    size = (0, 0) if note else (160, 120)
    return FrameOutcome(FrameDone(FrameId("job-1", "e", frame), STEP_MS * frame, len(faces), *size, note), faces)


def recorded(folder: Path, *frames: FrameOutcome, picture: str | None = None) -> tuple[AnalysisWriter, Outputs]:
    """Write the results of these frames."""
    outputs = Outputs(
        readings_csv=folder / "readings.csv",
        readings_jsonl=folder / "readings.jsonl",
        episodes_csv=folder / "episodes.csv",
        episodes_jsonl=folder / "episodes.jsonl",
    )
    with outputs.unfinished() as files:
        writer = AnalysisWriter(files, SmoothingParameters(), picture_names=picture is not None)
        with writer:
            for frame in frames:
                writer.write(frame, picture)
            writer.finish()
    return writer, outputs


def write_clip(path: Path, frames: int = 25, fps: float = 25.0, size: tuple[int, int] = (160, 120)) -> Path:
    """A clip whose frames differ: each is brighter than the one before."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 40 + 6 * number, np.uint8))
    writer.release()
    return path
