"""Prometheus metrics of a capturing process."""

from prometheus_client import Counter, Enum, Histogram

FRAMES = Counter("emotii_capture_frames", "Frames that were processed.", ["source"])
SKIPPED = Counter("emotii_capture_skipped_frames", "Frames skipped for a newer one or for a backlog.", ["source"])
UNREADABLE = Counter("emotii_capture_unreadable_frames", "Frames and pictures that could not be decoded.", ["source"])
FACES = Counter("emotii_capture_faces", "Faces that were found.", ["source"])
DETECTION_SECONDS = Histogram(
    "emotii_capture_detection_seconds",
    "Time to find the faces of one frame.",
    ["source"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
STATE = Enum("emotii_capture_state", "State of the source.", ["source"], states=["ONLINE", "OFFLINE", "RECONNECTING"])
