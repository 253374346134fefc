"""Augmentation of faces. It is not part of the network, so served models do not contain it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.model.normalisation import CROP_SIZE

Face = NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """How far a face is changed at random each time it is used. A chance is a share of the faces, 0 to 1."""

    flip: float = 0.5
    shift: float = 0.1
    """Maximum, as a share of the side, in each direction."""
    rotation: float = 15.0
    """Maximum in degrees, in each direction."""
    zoom: float = 0.15
    """Maximum, in each direction."""
    gamma: float = 0.2
    """Chance of a gamma from 0.4 to 2.5, uniform in its logarithm."""
    contrast: float = 0.2
    """Chance of a contrast from 0.4 to 1.4 and a brightness of 40 levels up or down."""
    dark: float = 0.2
    """Chance of an exposure 0.5 to 2.5 stops lower, with the noise of a sensor in the dark."""
    noise: float = 0.1
    """Chance of noise with a deviation of up to 12 levels."""
    soft: float = 0.25
    """Chance of one of blur, low resolution (16 to 36 pixels) or JPEG (quality 20 to 70)."""
    erasing: float = 0.25
    """Chance that a rectangle of 2 to 15% of the face is covered by noise."""

    def apply(self, faces: Face, rng: np.random.Generator) -> Face:
        """(n, 48, 48) uint8 to changed copies of the same shape."""
        return np.stack([self._change(face, rng) for face in faces])

    def _change(self, face: Face, rng: np.random.Generator) -> Face:
        face = self._move(face, rng)
        face = _darken(face, rng) if rng.random() < self.dark else self._relight(face, rng)
        if rng.random() < self.soft:
            face = _soften(face, rng)
        if rng.random() < self.erasing:
            face = _erase(face, rng)
        return face

    def _relight(self, face: Face, rng: np.random.Generator) -> Face:
        if rng.random() < self.gamma:
            face = _uint8(cv2.LUT(face, _curve(0.4 * 6.25 ** rng.random())))
        if rng.random() < self.contrast:
            face = _levels(face, rng.uniform(0.4, 1.4), rng.uniform(-40, 40))
        if rng.random() < self.noise:
            face = _add_noise(face, rng.uniform(1, 12), rng)
        return face

    def _move(self, face: Face, rng: np.random.Generator) -> Face:
        middle = (CROP_SIZE - 1) / 2
        angle = rng.uniform(-self.rotation, self.rotation)
        turn = cv2.getRotationMatrix2D((middle, middle), angle, rng.uniform(1 - self.zoom, 1 + self.zoom))
        turn[:, 2] = turn[:, 2] + rng.uniform(-self.shift, self.shift, 2) * CROP_SIZE
        if rng.random() < self.flip:
            face = np.ascontiguousarray(face[:, ::-1])
        return _uint8(cv2.warpAffine(face, turn, (CROP_SIZE, CROP_SIZE), borderMode=cv2.BORDER_REPLICATE))


def _curve(gamma: float) -> Face:
    return _uint8(np.rint(255 * (np.arange(256) / 255) ** gamma))


def _levels(face: Face, contrast: float, brightness: float) -> Face:
    return _uint8(cv2.convertScaleAbs(np.clip((face.astype(np.float32) - 128) * contrast + 128 + brightness, 0, 255)))


def _darken(face: Face, rng: np.random.Generator) -> Face:
    """Scale every pixel value, then add noise that is not scaled; no later gain can undo that."""
    return _add_noise(_uint8(face * 2 ** -rng.uniform(0.5, 2.5)), rng.uniform(1, 7), rng)


def _add_noise(face: Face, deviation: float, rng: np.random.Generator) -> Face:
    noise = rng.standard_normal(face.shape, np.float32) * np.float32(deviation)
    return _uint8(np.clip(face + noise, 0, 255))


def _soften(face: Face, rng: np.random.Generator) -> Face:
    match rng.integers(3):
        case 0:
            return _uint8(cv2.GaussianBlur(face, (0, 0), rng.uniform(0.5, 1.8)))
        case 1:
            side = int(rng.integers(16, 37))
            small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
            return _uint8(cv2.resize(small, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_LINEAR))
        case _:
            encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 71))])[1]
            return _uint8(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)))


def _erase(face: Face, rng: np.random.Generator) -> Face:
    """Random erasing (Zhong et al., 2017)."""
    area, ratio = rng.uniform(0.02, 0.15) * CROP_SIZE**2, np.exp(rng.uniform(-1, 1))
    height, width = (min(CROP_SIZE - 1, max(1, round(side))) for side in (np.sqrt(area * ratio), np.sqrt(area / ratio)))
    top, left = rng.integers(CROP_SIZE - height), rng.integers(CROP_SIZE - width)
    face = face.copy()
    face[top : top + height, left : left + width] = rng.integers(0, 256, (height, width), dtype=np.uint8)
    return face


def _uint8(face: NDArray[np.generic] | cv2.typing.MatLike) -> Face:
    return np.asarray(face).astype(np.uint8, copy=False)
