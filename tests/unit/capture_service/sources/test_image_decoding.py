import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from capture_service.sources.image_decoding import decode
from contract.errors import PictureError

MOST = 1_000_000


def encoded(kind, picture, *options):
    written, content = cv2.imencode(kind, picture, options)
    assert written
    return content.tobytes()


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype)


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".gif"])
def test_every_usual_kind_of_picture_becomes_bgr(kind):
    picture = decode(encoded(kind, np.full((20, 30, 3), (0, 0, 250), np.uint8)), MOST)
    assert (picture.shape, picture.dtype) == ((20, 30, 3), np.uint8)
    assert picture[10, 15, 2] > 200 > picture[10, 15, 0]


@pytest.mark.parametrize(
    "content",
    [
        encoded(".png", noise(20, 30)),
        encoded(".png", noise(20, 30, 4)),
        encoded(".png", noise(20, 30, 3, dtype=np.uint16)),
    ],
    ids=["gray", "alpha", "16 bit"],
)
def test_gray_alpha_and_16_bit_pictures_become_bgr_too(content):
    assert decode(content, MOST).shape == (20, 30, 3)


def test_a_picture_is_rotated_as_its_exif_data_says():
    content = encoded(".jpg", np.full((20, 30, 3), 128, np.uint8))
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    turned = content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]
    assert decode(turned, MOST).shape == (30, 20, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"no picture", "not a picture"),
        (b"GIF89a", "cannot be read|not a picture"),
        (bytes(MOST + 1), "the most is 1000000"),
        (png_header(100_000, 100_000), "cannot be read|not a picture"),
    ],
    ids=["empty", "text", "half a GIF", "too many bytes", "too many pixels"],
)
def test_bytes_that_cannot_be_decoded_are_refused_with_the_reason(content, reason):
    with pytest.raises(PictureError, match=reason):
        decode(content, MOST)


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_truncated_picture_is_refused_or_decoded_completely(kind, tenth):
    content = encoded(kind, noise(64, 64, 3))
    with pytest.raises(PictureError):
        decode(content[: len(content) * tenth // 10], MOST)


def test_a_damaged_picture_never_shows_an_earlier_one():
    canary = np.full((64, 64, 3), (10, 250, 10), np.uint8)
    content = encoded(".jpg", noise(64, 64, 3))
    for at in range(200, len(content) - 200, len(content) // 40):
        decode(encoded(".jpg", canary), MOST)
        damaged = content[:at] + bytes(100) + content[at + 100 :]
        try:
            picture = decode(damaged, MOST)
        except PictureError:
            continue
        like_canary = (np.abs(picture.astype(int) - canary) < 12).all(axis=2)
        assert like_canary.mean() < 0.2


def test_the_bound_on_pixels_holds_in_a_process_that_set_it_first():
    script = (
        "from capture_service.sources.opencv import limit; from capture_service.settings import CaptureSettings\n"
        "limit(CaptureSettings(picture_max_megapixels=1))\n"
        "import cv2, numpy as np; from capture_service.sources.image_decoding import decode\n"
        "decode(cv2.imencode('.png', np.zeros((900, 900, 3), np.uint8))[1].tobytes(), 10**7)\n"
        "from contract.errors import PictureError\n"
        "try: decode(cv2.imencode('.png', np.zeros((1100, 1100, 3), np.uint8))[1].tobytes(), 10**7)\n"
        "except PictureError as error: print('refused')\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "refused\n"


def test_nothing_that_the_parent_process_imports_loads_opencv():
    script = "import sys, capture_service.__main__; sys.exit('cv2' in sys.modules or 'openvino' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
