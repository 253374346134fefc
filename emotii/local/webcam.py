"""Is there a webcam? Asked in a process of its own, since a driver may hang."""

import subprocess
import sys
from pathlib import Path

PATIENCE_SECONDS = 10.0

# Exit code 0 only if a picture came.
_PROBE = """
import os, sys
os.environ["OPENCV_LOG_LEVEL"] = "OFF"
import cv2
sys.exit(0 if cv2.VideoCapture(0).read()[0] else 1)
"""


def has_webcam() -> bool:
    """Whether the first webcam gives a picture within 10 s."""
    if sys.platform == "linux" and not Path("/dev/video0").exists():
        return False
    command = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
