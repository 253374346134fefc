"""A folder of pictures, in the order of their names."""

from pathlib import Path

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.image_decoding import decode_file
from capture_service.sources.spec import PICTURE_SUFFIXES, SourceSpec
from contract.errors import PictureError, SourceError, reason_of
from contract.printable import printable

DEFAULT_FPS = 2.0
"""Pictures a second, if `fps` is not set."""


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, by name.

    Raises:
        OSError: the folder cannot be read.
    """
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()]


class Pictures:
    """All pictures, `passes` times or (loop) for ever; one that cannot be read keeps its number."""

    polled = False

    def __init__(self, spec: SourceSpec, settings: CaptureSettings) -> None:
        self._spec = spec
        self._max_bytes, self._max_pixels = settings.picture_max_bytes, settings.picture_max_megapixels * 1_000_000
        self._files: list[Path] = []
        self._number = 0

    @property
    def pace(self) -> float | None:
        return self._spec.fps or DEFAULT_FPS

    @property
    def total(self) -> int | None:
        return None if self._spec.loop else len(self._files) * self._spec.passes

    @property
    def expected(self) -> int | None:
        return self.total

    def picture(self, number: int) -> str | None:
        return printable(self._files[number % len(self._files)].name)

    def open(self) -> None:
        try:
            self._files = picture_files(Path(self._spec.address))
        except OSError as error:
            raise SourceError(f"{self._spec.safe}: {reason_of(error)}") from error
        if not self._files:
            raise SourceError(f"no pictures in {self._spec.safe}")
        self._number = 0

    def read(self) -> Frame | None:
        number = self._number
        if not self.skip():
            return None
        seconds = number / (self.pace or DEFAULT_FPS)
        file = self._files[number % len(self._files)]
        try:
            return Frame(number, seconds, decode_file(file, self._max_bytes, self._max_pixels))
        except PictureError as error:
            return Frame(number, seconds, None, f"{self.picture(number)}: {error}")

    def skip(self) -> bool:
        if not self._spec.loop and self._number >= len(self._files) * self._spec.passes:
            return False
        self._number += 1
        return True

    def close(self) -> None:
        """There is nothing to close."""
