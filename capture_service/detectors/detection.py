"""A detection, and the protocol of a detector."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from contract.messages import Box
from contract.model.landmarks import Landmarks, Point

if TYPE_CHECKING:  # it imports NumPy, which the parent of the capture processes does not need
    from capture_service.frame import Picture


@dataclass(frozen=True, slots=True)
class KeyPoints:
    """Key points of a face in pixels of the frame; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    mouth: Point
    right_ear: Point
    left_ear: Point

    @property
    def all(self) -> tuple[Point, ...]:
        """In the order above."""
        return self.right_eye, self.left_eye, self.nose, self.mouth, self.right_ear, self.left_ear

    @property
    def landmarks(self) -> Landmarks:
        """The key points by which the face is framed."""
        return Landmarks(self.right_eye, self.left_eye, self.mouth)


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found."""

    box: Box
    score: float
    """0 to 1."""
    points: KeyPoints | None = None

    @property
    def landmarks(self) -> Landmarks | None:
        return self.points.landmarks if self.points else None


class Detector(Protocol):
    """Finds faces."""

    def detect(self, picture: "Picture") -> list[Detection]:
        """The faces of a picture (height, width, 3) uint8 BGR, the best score first."""
