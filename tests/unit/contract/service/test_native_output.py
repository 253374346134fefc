"""What libraries in C write to stderr."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

DAMAGED = """
import sys
from pathlib import Path
import cv2
import numpy as np
from contract.service.native_output import discard_native_output
if sys.argv[2] == "discard":
    discard_native_output()
encoded = np.frombuffer(Path(sys.argv[1]).read_bytes(), np.uint8)
for _ in range(3):
    cv2.imdecode(encoded, cv2.IMREAD_COLOR)
print("a line of ours", file=sys.stderr)
raise RuntimeError("a traceback of ours")
"""


def decode(picture: Path, output: str) -> str:
    """What a process writes to stderr that decodes a damaged picture three times."""
    command = [sys.executable, "-c", DAMAGED, str(picture), output]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def damaged_jpeg(folder: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    encoded = bytearray(cv2.imencode(".jpg", pixels)[1].tobytes())
    encoded[-300:-100] = b"\0" * 200
    picture = folder / "damaged.jpg"
    picture.write_bytes(encoded)
    return picture


def test_damaged_pictures_write_no_line_of_a_library_to_the_log(tmp_path: Path) -> None:
    picture = damaged_jpeg(tmp_path)
    assert decode(picture, "keep").count("JPEG") == 3  # otherwise this test shows nothing
    written = decode(picture, "discard")
    assert "JPEG" not in written
    assert "a line of ours" in written
    assert "RuntimeError: a traceback of ours" in written
