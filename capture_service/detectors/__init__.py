"""Detectors find faces in a frame; EMOTII_DETECTOR names the one to use."""

from capture_service.detectors.detection import Detection, Detector
from capture_service.settings import CaptureSettings
from contract.address import DetectorName

__all__ = ["Detection", "Detector", "check", "configured", "load"]


def check(names: set[DetectorName]) -> None:
    """Check that the files of these detectors are installed, without loading anything.

    Raises:
        ModelError: a file is not installed.
    """
    if "blazeface" in names:
        from capture_service.detectors.network import model_file

        model_file()


def configured(settings: CaptureSettings, name: DetectorName | None = None) -> Detector:
    """The detector of the settings, or the one of this name with the bounds of the settings.

    For the bounds of `capture_service.sources.opencv.limit`, call that before, since this imports `cv2`.

    Raises:
        ModelError: its files are not installed.
    """
    return load(name or settings.detector, settings.detector_min_score, settings.max_faces)


def load(name: DetectorName, min_score: float = 0.5, most: int = 50) -> Detector:
    """The detector of this name, ready to run on one core.

    Args:
        name: of the detector.
        min_score: the least score of a face.
        most: the most faces of a frame; those with the best scores are kept.

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
