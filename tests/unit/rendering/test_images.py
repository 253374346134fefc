"""Still pictures: whole ones are shown upright, cut ones are refused, and none keeps a decoder busy."""

import contextlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from contract.errors import PictureError
from rendering import images
from rendering.jpeg import MOST_SCANS, read_markers

QUARTERS = np.zeros((32, 64, 3), np.uint8)
QUARTERS[:16, :32], QUARTERS[:16, 32:], QUARTERS[16:, :32], QUARTERS[16:, 32:] = (
    (200, 30, 30),
    (30, 200, 30),
    (30, 30, 200),
    (220, 220, 220),
)
"""RGB: every corner has a colour of its own."""
STORED_AS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
"""The orientation that undoes an orientation."""


def written(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(width=200, height=150):
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8))


def stored(orientation):
    """The picture as a camera stores it that was held so."""
    upright = Image.fromarray(QUARTERS)
    upright.getexif()[0x0112] = STORED_AS[orientation]
    return Image.fromarray(np.asarray(ImageOps.exif_transpose(upright)))


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_picture_of_every_format_is_turned_and_mirrored(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"tiffinfo": {0x0112: orientation}} if kind == "TIFF" else {"exif": exif, "quality": 95}
    picture = images.decode(written(stored(orientation), kind, **options))
    assert picture.shape == QUARTERS.shape
    assert np.abs(picture[:, :, ::-1].astype(int) - QUARTERS).mean() < 12


KINDS = {
    "JPEG": {},
    "progressive JPEG": {"progressive": True},
    "JPEG with a thumbnail": {},
    "PNG": {},
    "WEBP": {},
    "lossless WEBP": {"lossless": True},
    "GIF": {},
    "BMP": {},
    "TIFF": {},
    "TIFF with LZW": {"compression": "tiff_lzw"},
    "AVIF": {},
}


def with_thumbnail(jpeg):
    """A JPEG whose EXIF data hold another, whole one, as those of cameras do."""
    thumbnail = written(noise(16, 16), "JPEG")
    body = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + jpeg[2:]


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("name", KINDS)
def test_a_cut_picture_of_every_format_is_refused(name, share):
    kind = next(word for word in name.split() if word.isupper())
    whole = written(noise(), kind, **KINDS[name])
    if "thumbnail" in name:
        whole = with_thumbnail(whole)
    assert images.decode(whole).shape == (150, 200, 3)
    with pytest.raises(PictureError):
        images.decode(whole[: int(len(whole) * share)])


def with_scans(count, width=1000, height=1000):
    """A progressive JPEG with so many scans: its last one, repeated."""
    jpeg = written(Image.new("RGB", (width, height)), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * (count - jpeg.count(b"\xff\xda") + 1) + jpeg[-2:]


def test_a_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded():
    with pytest.raises(PictureError, match="too many scans"):
        images.decode(with_scans(14_000))


def test_scans_count_by_the_pixels_that_they_go_through():
    jpeg = with_scans(MOST_SCANS - 1)
    assert read_markers(jpeg)[:3] == (1000, 1000, MOST_SCANS - 1)
    assert images.decode(jpeg).shape == (1000, 1000, 3)
    with pytest.raises(PictureError, match="too many scans"):
        images.decode(jpeg, max_pixels=2_000_000)


def test_the_size_is_checked_before_a_jpeg_is_decoded():
    with pytest.raises(PictureError, match="has 200 x 150 pixels; the most is 10000"):
        images.decode(written(noise(), "JPEG"), max_pixels=10_000)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_a_picture_with_many_frames_the_first_is_read(kind):
    frames = [Image.new("RGB", (300, 300), (number, 200, 90)) for number in range(0, 250, 2)]
    content = written(frames[0], kind, save_all=True, append_images=frames[1:])
    assert images.decode(content)[150, 150].tolist() == pytest.approx([90, 200, 0], abs=6)


@pytest.mark.parametrize("kind", [".jp2", ".ppm", ".pfm", ".ras", ".hdr"])
def test_formats_that_nobody_uploads_are_left_to_the_users_own_files(kind):
    picture = np.full((64, 64, 3), 90, np.float32 if kind in {".pfm", ".hdr"} else np.uint8)
    content = cv2.imencode(kind, picture)[1].tobytes()
    with pytest.raises(PictureError, match="not a picture that can be read"):
        images.decode(content)
    assert images.decode(content, own=True).shape == (64, 64, 3)


@pytest.mark.parametrize("length", [0, 1, 7, 12, 40, 200])
def test_damaged_boxes_of_an_avif_file_do_no_harm(length):
    whole = written(stored(6), "AVIF")
    rng = np.random.default_rng(length)
    damaged = bytearray(whole)
    for at in rng.integers(8, 300, length):
        damaged[at] = rng.integers(0, 256)
    for content in (bytes(damaged), whole[:8] + b"avif" + bytes(length), whole[:100] + b"\xff" * length):
        with contextlib.suppress(PictureError):
            images.decode(content)
