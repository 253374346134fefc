"""Pictures that are none, are damaged, or are more than they seem: read as they should be, or refused in words."""

import io
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from capture_service.detectors import Detection
from capture_service.detectors.haar import Haar
from capture_service.faces.pipeline import FaceFinder
from capture_service.sources.image_decoding import decode
from contract.errors import PictureError
from contract.messages import Crop, FrameId, read_crop_entry

MOST = 50_000_000
NO_PICTURE = "this is not a picture that can be read"
DAMAGED = "the picture is damaged, or has more than EMOTII_PICTURE_MAX_MEGAPIXELS"
CUT_OFF = "the picture is cut off"


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, shape, np.uint8)


def written(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def encoded(kind: str) -> bytes:
    return cv2.imencode(kind, noise(64, 64, 3))[1].tobytes()


def png(width: int, height: int, bits: int, colour: int, data: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_of_stated_size(width: int, height: int) -> bytes:
    """A small JPEG whose header claims this size."""
    content = bytearray(encoded(".jpg"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def bomb() -> bytes:
    """16,384 x 16,384 pixels, black: 800 MB as BGR in 40 kB."""
    return png(16_384, 16_384, 1, 0, zlib.compress(bytes((16_384 // 8 + 1) * 16_384), 9))


REFUSED = {
    "empty": (b"", "the picture is empty"),
    "one byte": (b"\xff", NO_PICTURE),
    "text": (b"no picture at all", NO_PICTURE),
    "HTML": (b"<html><img src=x></html>", NO_PICTURE),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', NO_PICTURE),
    "zeros": (bytes(4096), NO_PICTURE),
    "half a GIF": (b"GIF89a", NO_PICTURE),
    "JPEG of 65500 x 65500": (
        jpeg_of_stated_size(65_500, 65_500),
        "the picture has 65500 x 65500 pixels; the most is 40000000",
    ),
    "JPEG of 0 x 0": (jpeg_of_stated_size(0, 0), NO_PICTURE),
    "PNG of 65500 x 65500": (png(65_500, 65_500, 8, 2, zlib.compress(b"")), DAMAGED),
    "PNG of 0 x 0": (png(0, 0, 8, 2, zlib.compress(b"")), NO_PICTURE),
    "more bytes than allowed": (bytes(MOST + 1), f"the picture has {MOST + 1} bytes; the most is {MOST}"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_bytes_that_are_not_a_picture_are_refused_with_the_reason(content: bytes, reason: str):
    with pytest.raises(PictureError) as refusal:
        decode(content, MOST)
    assert str(refusal.value) == reason


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".gif"])
def test_a_truncated_picture_is_refused_or_contains_only_its_own_pixels(kind: str, tenth: int):
    whole = encoded(kind)
    decode(cv2.imencode(".png", np.full((64, 64, 3), (10, 250, 10), np.uint8))[1].tobytes(), MOST)  # the canary
    try:
        picture = decode(whole[: len(whole) * tenth // 10], MOST)
    except PictureError as refusal:
        answer = str(refusal)
    else:
        assert kind not in {".jpg", ".png", ".webp"}, "these are refused wherever they are cut"
        assert not (np.abs(picture.astype(int) - (10, 250, 10)) < 12).all(axis=2).any()
        return
    assert answer in {"the picture is empty", NO_PICTURE, CUT_OFF, DAMAGED}


RED = Image.new("RGB", (30, 20), (250, 0, 0))
SIXTEEN_BITS = cv2.imencode(".tiff", np.full((20, 30, 3), (0, 0, 64_000), np.uint16))[1].tobytes()
READ = {
    "CMYK": written(RED.convert("CMYK"), "JPEG"),
    "16 bits a channel": SIXTEEN_BITS,
    "alpha": written(RED.convert("RGBA"), "PNG"),
    "palette": written(RED.convert("P"), "PNG"),
    "GIF": written(RED, "GIF"),
    "GIF with more frames": written(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (30, 20), (0, 0, 250))]),
    "progressive": written(RED, "JPEG", progressive=True),
    "bytes behind its end": written(RED, "JPEG") + b"<script>",
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_unusual_pictures_are_read_by_their_content_and_not_by_their_name(content: bytes):
    picture = decode(content, MOST)
    assert (picture.shape, picture.dtype) == ((20, 30, 3), np.uint8)
    blue, _, red = picture[10, 15].tolist()
    assert red > 200
    assert blue < 60


CORNER = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
"""Where the first stored corner comes to lie, by EXIF orientation: bottom?, right?"""


@pytest.mark.parametrize("orientation", [0, *CORNER, 9, 65_535])
def test_a_picture_is_rotated_as_its_exif_data_says_unless_the_value_is_invalid(orientation: int):
    plain = Image.new("RGB", (32, 16))
    plain.paste((255, 255, 255), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(written(plain, "JPEG", exif=exif), MOST)
    assert picture.shape == ((32, 16, 3) if 5 <= orientation <= 8 else (16, 32, 3))
    bottom, right = CORNER.get(orientation, (0, 0))
    assert picture[-4 if bottom else 4, -4 if right else 4].mean() > 200


def test_a_picture_that_decodes_to_too_many_pixels_is_refused_before_it_uses_memory(tmp_path):
    (tmp_path / "bomb.png").write_bytes(bomb())
    script = (
        "import resource, sys\n"
        "from capture_service.sources.opencv import limit; from capture_service.settings import CaptureSettings\n"
        "limit(CaptureSettings())\n"
        "from capture_service.sources.image_decoding import decode; from contract.errors import PictureError\n"
        "import pathlib; content = pathlib.Path(sys.argv[1]).read_bytes(); import cv2, numpy\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode(content, 10**9)\n"
        "except PictureError as error: print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 64)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "bomb.png")], capture_output=True, text=True, check=True
    )
    assert answer.stdout == f"{DAMAGED}\nTrue\n"


class FakeDetector:
    """Finds the given faces."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = boxes

    def detect(self, _picture: np.ndarray) -> list[Detection]:
        return [Detection(box, 0.9) for box in self.boxes]


PLACES = {
    "a pixel": ((10.0, 10.0, 1.0, 1.0), "too small"),
    "less than a pixel": ((10.0, 10.0, 0.02, 0.02), "too small"),
    "off the left": ((-500.0, 10.0, 40.0, 40.0), "cut off"),
    "off the right": ((5000.0, 10.0, 40.0, 40.0), "cut off"),
    "off below": ((10.0, 5000.0, 40.0, 40.0), "cut off"),
    "half off": ((-20.0, 10.0, 40.0, 40.0), "cut off"),
    "larger than the frame": ((-400.0, -400.0, 1000.0, 1000.0), "cut off"),
}


@pytest.mark.parametrize(("box", "flaw"), PLACES.values(), ids=PLACES)
def test_a_tiny_face_and_one_off_the_frame_have_crops_with_the_flaw(box, flaw: str):
    (found,) = FaceFinder("test", FakeDetector(box)).find(noise(90, 120, 3), 0.0)
    crop = Crop(FrameId("test", "e1", 0), found.face, 1000, 0, found.pixels)
    assert read_crop_entry(crop.fields()).array().shape == (48, 48)
    assert flaw in found.face.quality.flaws


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (2, 3)])
def test_pictures_of_hardly_any_pixels_have_no_face(size: tuple[int, int]):
    assert FaceFinder("test", Haar(50)).find(noise(*size, 3), 0.0) == []


def test_of_ten_thousand_faces_as_many_as_allowed_are_returned():
    with_boxes = Haar(50)
    with_boxes._cascade = type(
        "Many", (), {"detectMultiScale": lambda *_: [(n % 640, n % 480, 24, 24) for n in range(10_000)]}
    )()
    assert len(FaceFinder("test", with_boxes).find(noise(480, 640, 3), 0.0)) == 50
