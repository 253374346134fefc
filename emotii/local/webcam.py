"""Detection of a webcam, in a process of its own because a driver may hang."""

import subprocess
import sys
from pathlib import Path

TIMEOUT_SECONDS = 10.0

# Exit code 0 only if a frame was read.
_PROBE = """
import os, sys
os.environ["OPENCV_LOG_LEVEL"] = "OFF"
import cv2
sys.exit(0 if cv2.VideoCapture(0).read()[0] else 1)
"""


def has_webcam() -> bool:
    """Whether the first webcam delivers a frame within 10 s."""
    if sys.platform == "linux" and not Path("/dev/video0").exists():
        return False
    command = [sys.executable, "-c", _PROBE]
    try:
        return subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
