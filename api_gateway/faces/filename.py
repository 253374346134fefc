"""The names of saved faces: `<emotion>/<emotion>_<confidence>_<YYYYmmdd>_<HHMMSS>_<microseconds>.jpg`.

The name of a face that a person labelled ends in `_was_<emotion of the model>.jpg`. The label is part of the name, so
no crash can separate a face from its label: a rename is atomic.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from contract.errors import EmotiiError

EMOTION = r"[a-z0-9][a-z0-9_-]{0,31}"
_NAME = re.compile(
    rf"(?P<emotion>{EMOTION})_(?P<confidence>\d{{1,3}}\.\d)_(?P<time>\d{{8}}_\d{{6}}_\d{{6}})"
    rf"(?:_was_(?P<was>{EMOTION}))?\.jpg",
    re.ASCII,
)


class FaceNameError(EmotiiError):
    """This cannot name a saved face."""


@dataclass(frozen=True, slots=True)
class FaceName:
    """The content of a saved face's name."""

    emotion: str
    confidence: float
    """The model's, in percent with one decimal."""
    saved: datetime
    """In UTC: local time would repeat an hour every autumn."""
    was: str | None = None
    """The emotion from the model, if a person has labelled the face; else None."""

    def labelled(self, emotion: str) -> Self:
        """The name after a person labelled the face with this emotion, even if it is the model's."""
        return replace(self, emotion=emotion, was=self.was or self.emotion)

    @classmethod
    def parse(cls, name: str) -> Self:
        """The exact inverse of `str`, for example of `happy_97.3_20260131_235959_000001.jpg`.

        Raises:
            FaceNameError: it is not exactly such a name, which excludes paths.
        """
        match = _NAME.fullmatch(name)
        try:
            if match:
                saved = datetime.strptime(match["time"], "%Y%m%d_%H%M%S_%f").replace(tzinfo=UTC)
                found = cls(match["emotion"], float(match["confidence"]), saved, match["was"])
                if str(found) == name:
                    return found
        except ValueError:
            pass  # a 13th month; the same error as below
        raise FaceNameError(f"{name[:80]!r} is not the name of a saved face")

    @classmethod
    def check_emotion(cls, emotion: str) -> None:
        """Raise `FaceNameError` unless this can be an emotion, and so a folder."""
        if not re.fullmatch(EMOTION, emotion, re.ASCII):
            raise FaceNameError(f"{emotion[:40]!r} cannot be an emotion")

    @staticmethod
    def order(name: str, emotion: str) -> tuple[str, str] | None:
        """A sort key, the greatest for the newest face; None if it is not the name of a face with this emotion.

        Much faster than `parse`, but it accepts a 13th month.
        """
        match = _NAME.fullmatch(name)
        return (match["time"], name) if match and match["emotion"] == emotion else None

    def __str__(self) -> str:
        was = f"_was_{self.was}" if self.was else ""
        return f"{self.emotion}_{self.confidence:.1f}_{self.saved:%Y%m%d_%H%M%S_%f}{was}.jpg"
