"""Detectors: a frame in, faces out; one small protocol, chosen by EMOTII_DETECTOR."""

from capture_service.detectors.detection import Detection, Detector
from capture_service.settings import CaptureSettings
from contract.address import DetectorName

__all__ = ["Detection", "Detector", "check", "configured", "load"]


def check(names: set[DetectorName]) -> None:
    """See that the files of these detectors are there, without loading anything.

    Raises:
        ModelError: some are not installed.
    """
    if "blazeface" in names:
        from capture_service.detectors.network import model_file

        model_file()


def configured(settings: CaptureSettings, name: DetectorName | None = None) -> Detector:
    """The detector of these settings, or the one of this name with their bounds.

    Whoever wants the bounds of `capture_service.sources.opencv.limit`, too, calls that first, before `cv2` is imported.

    Raises:
        ModelError: its files are not installed.
    """
    return load(name or settings.detector, settings.detector_min_score, settings.max_faces)


def load(name: DetectorName, min_score: float = 0.5, most: int = 50) -> Detector:
    """The detector of this name, ready to run on one core.

    Args:
        name: which.
        min_score: the least score of what counts as a face.
        most: the most faces of a frame; the best are kept.

    Raises:
        ModelError: its files are not installed.
    """
    import cv2

    cv2.setNumThreads(1)
    if name == "haar":
        from capture_service.detectors.haar import Haar

        return Haar(most)
    from capture_service.detectors.blazeface import BlazeFace

    return BlazeFace(min_score, most)
