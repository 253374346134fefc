"""Atomic files: written to a temporary file beside the target, which it replaces when everything went well."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from contract.errors import SettingsError

PARTIAL = ".partial"


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Name the file in errors of the block, for example of a full disk.

    Raises:
        SettingsError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror or error}") from error


class AtomicFile:
    """The temporary file of `path`. As a context manager it replaces `path`; after an error it removes the file.

    Raises:
        SettingsError: `path` is a folder, or nothing can be written beside it.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise SettingsError(f"cannot write {path}: it is a folder; name a file")
        self.path = path
        # The last suffix stays, since some writers choose the format by it.
        self.partial = path.with_name(path.stem + PARTIAL + path.suffix)
        with writable(path):
            self.partial.open("wb").close()

    def __enter__(self) -> Path:
        """The path to write to."""
        return self.partial

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with writable(self.path):
            if kind is None:
                self.partial.replace(self.path)
            else:
                self.partial.unlink(missing_ok=True)


class TextFile:
    """Writes text to the temporary file; errors name the target.

    Raises:
        SettingsError: it cannot be written.
    """

    def __init__(self, file: AtomicFile) -> None:
        self._path = file.path
        with writable(self._path):
            self._file = file.partial.open("w", newline="", encoding="utf-8")

    def write(self, text: str) -> int:
        with writable(self._path):
            return self._file.write(text)

    def flush(self) -> None:
        with writable(self._path):
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with writable(self._path):
                self._file.close()
        except SettingsError:
            if kind is None:  # otherwise the first error is the one to report
                raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write the whole file, or leave the old one as it was.

    Raises:
        SettingsError: it cannot be written.
    """
    with AtomicFile(path) as partial, writable(path):
        partial.write_bytes(content)
