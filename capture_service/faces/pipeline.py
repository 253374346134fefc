"""From a frame to its faces: detect or follow, track, cut, rate."""

from dataclasses import dataclass

from capture_service import metrics
from capture_service.detectors import Detection, Detector
from capture_service.faces.appearance import appearance
from capture_service.faces.flow_tracking import FlowTracker
from capture_service.faces.quality import judge
from capture_service.faces.tracker import Tracker
from capture_service.frame import Picture
from contract.messages import Face
from contract.model.framing import frame_face
from contract.model.preprocessing import Gray, gray


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face and its crop."""

    face: Face
    pixels: bytes
    """48 x 48 gray."""


class FaceFinder:
    """Finds the faces of the frames of one source, and tracks them.

    Args:
        source: its name, for metrics.
        detector: finds faces.
        detect_every: seconds between two detections, while faces can be followed; 0: detect in every frame.
    """

    def __init__(self, source: str, detector: Detector, detect_every: float = 0.0) -> None:
        self._detector = detector
        self._flow_tracker = FlowTracker(detect_every)
        self._tracker = Tracker()
        self._seconds = metrics.DETECTION_SECONDS.labels(source)
        self._faces = metrics.FACES.labels(source)

    def begin(self) -> None:
        """The next frame belongs to another scene: end all tracks."""
        self._tracker.reset()
        self._flow_tracker.reset()

    def find(self, picture: Picture, seconds: float) -> list[FoundFace]:
        """Every face of a frame, the best score first.

        Args:
            picture: (height, width, 3) BGR.
            seconds: when it was captured, on any clock that never goes back.
        """
        frame = gray(picture)
        with self._seconds.time():
            detections = self._detections(picture, frame, seconds)
        cut = [frame_face(frame, one.box, one.landmarks) for one in detections]
        tracks = self._tracker.update([one.box for one in detections], seconds, [appearance(pixels) for pixels in cut])
        self._faces.inc(len(detections))
        height, width = picture.shape[:2]
        return [
            FoundFace(Face(index, track, one.box, one.score, judge(pixels, one, width, height)), pixels.tobytes())
            for index, (track, one, pixels) in enumerate(zip(tracks, detections, cut, strict=True))
        ]

    def _detections(self, picture: Picture, frame: Gray, seconds: float) -> list[Detection]:
        if (followed := self._flow_tracker.follow(frame, seconds)) is not None:
            return followed
        found = self._detector.detect(picture)
        self._flow_tracker.restart(frame, seconds, found)
        return found
