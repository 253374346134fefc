"""The id of a frame, and the faces in it."""

from dataclasses import dataclass
from typing import Self

from contract.errors import MalformedMessage
from contract.keys import SOURCE_NAME
from contract.messages.fields import Fields, integer, numbers, text

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the frame."""

DARKEST = 0.15
"""No face of FER2013's PublicTest images is this dark; darkened to it, the accuracy falls by more than a tenth."""
LEAST_SHARP = 0.08
"""One in a hundred of those faces is below 0.195; blurred by a pixel (standard deviation), three in four are below."""
SMALLEST = 20.0
SMALLEST_SIDE = 0.1
"""Of a box as written: a smaller side would be read as 0."""
MOST_TURNED = 0.7
LEAST_INSIDE = 0.8


@dataclass(frozen=True, slots=True)
class FrameId:
    """Identifies a frame by source, epoch and number.

    `epoch` changes whenever the source is opened again, so that (source, epoch, frame) never repeats. For an upload it
    is the request's id.
    """

    source: str
    epoch: str
    frame: int

    def fields(self) -> dict[bytes, bytes]:
        return {b"source": self.source.encode(), b"epoch": self.epoch.encode(), b"frame": b"%d" % self.frame}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        source, epoch = text(fields, b"source"), text(fields, b"epoch")
        if not SOURCE_NAME.fullmatch(source):
            raise MalformedMessage("source: not a source's name")
        if not SOURCE_NAME.fullmatch(epoch):
            raise MalformedMessage("epoch: not 1 to 32 of a-z, 0-9, _ and -")
        return cls(source, epoch, integer(fields, b"frame"))


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a crop. All values but `size` lie in 0 to 1."""

    brightness: float
    """Mean of the crop's pixels; 0 is black."""
    sharpness: float
    """Variance of the Laplacian over variance of the pixels, saturating; 0 is flat or blurred."""
    size: float
    """Longer side of the face's box in pixels of the frame."""
    turn: float
    """0 faces the camera, 1 is a profile, by the key points; 0 if the detector returns none."""
    inside: float
    """Share of the face's box that lies inside the frame."""

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why the crop is hard to judge, in words for people; empty if it is not."""
        found = {
            "too dark": self.brightness < DARKEST,
            "blurred": self.sharpness < LEAST_SHARP,
            "too small": self.size < SMALLEST,
            "turned away": self.turn > MOST_TURNED,
            "cut off": self.inside < LEAST_INSIDE,
        }
        return tuple(flaw for flaw, present in found.items() if present)

    def encode(self) -> bytes:
        return b"%.3f,%.3f,%.1f,%.3f,%.3f" % (self.brightness, self.sharpness, self.size, self.turn, self.inside)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(*numbers(fields, b"quality", 5))


@dataclass(frozen=True, slots=True)
class Face:
    """A box in a frame and the track that it belongs to."""

    index: int
    track: int
    box: Box
    score: float
    """The detector's, 0 to 1."""
    quality: Quality

    def fields(self) -> dict[bytes, bytes]:
        left, top, width, height = self.box
        return {
            b"face": b"%d" % self.index,
            b"track": b"%d" % self.track,
            b"box": b"%.1f,%.1f,%.1f,%.1f" % (left, top, max(width, SMALLEST_SIDE), max(height, SMALLEST_SIDE)),
            b"score": b"%.3f" % self.score,
            b"quality": self.quality.encode(),
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        left, top, width, height = numbers(fields, b"box", 4)
        if width <= 0 or height <= 0:
            raise MalformedMessage("box: width and height must be above 0")
        (score,) = numbers(fields, b"score", 1)
        index, track = integer(fields, b"face"), integer(fields, b"track")
        return cls(index, track, (left, top, width, height), score, Quality.read(fields))
