"""Atomic files: written to a temporary file beside the target, which it replaces when everything went well.

Every command that writes a file writes it through this module, so that no output destroys something else.
"""

import mimetypes
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, combinations
from pathlib import Path
from typing import Self

from contract.errors import SettingsError, reason_of

PARTIAL = ".partial"
_STEM_LETTERS = 40
"""Letters of the target's name in the temporary name, which must not exceed the length that a file system allows."""


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Name the file in errors of the block, for example of a full disk.

    Raises:
        SettingsError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {reason_of(error)}") from error


def check_outputs(outputs: Sequence[Path], inputs: Iterable[Path] = (), picture_folders: Iterable[Path] = ()) -> None:
    """Check that no output of a command destroys an input or another output. Links and hard links count as their file.

    Args:
        outputs: files to write; they need not exist.
        inputs: files and folders that the command reads.
        picture_folders: folders of which the command reads every picture, so that a picture in them is an input.

    Raises:
        SettingsError: an output is an input, or two outputs are the same file (also if only capitals distinguish them).
    """
    targets = [(path, _target(path)) for path in outputs]
    folders = [*picture_folders]
    pictures = (file for folder in folders for file in folder.iterdir())
    for (path, target), given in ((pair, one) for one in chain(inputs, pictures) for pair in targets):
        if _same(target, given):
            raise SettingsError(f"cannot write {path}: it is an input; name another file")
    for (path, target), folder in ((pair, one) for one in folders for pair in targets):
        if _is_picture(target) and _same(target.parent, folder):
            raise SettingsError(f"cannot write {path}: pictures in {folder} are inputs; name a file in another folder")
    for (_, one), (_, other) in combinations(targets, 2):
        if _same(one, other) or (_folded(one) == _folded(other) and _same(one.parent, other.parent)):
            raise SettingsError(f"two of the files to write have the same name: {one}")


def check_output_folder(folder: Path, inputs: Iterable[Path]) -> None:
    """Check that a folder to write is no input, and lies in none, where its files would be inputs from then on.

    Raises:
        SettingsError: it does.
    """
    target = folder.resolve()
    for given in inputs:
        if target.is_relative_to(given.resolve()):
            raise SettingsError(f"cannot write {folder}: it is or lies in {given}, which is an input")


class AtomicFile:
    """The temporary file of `path`. As a context manager it replaces `path`; after an error it removes the file.

    If `path` is a link, the file that it points to is replaced, and the link stays. Several processes may write the
    same file at the same time: each has a temporary file of its own, and the last one that ends replaces the others.

    Raises:
        SettingsError: `path` is a folder, a device or a pipe, or nothing can be written beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = _target(path)
        # The last suffix stays, since some writers choose the format by it.
        stem = f"{self._target.stem[:_STEM_LETTERS]}.{secrets.token_hex(4)}"
        self.partial = self._target.with_name(f"{stem}{PARTIAL}{self._target.suffix}")
        with writable(path):
            self.partial.open("xb").close()
            if self._target.exists():  # a file that others could not read stays so
                self.partial.chmod(stat.S_IMODE(self._target.stat().st_mode) | stat.S_IWUSR)

    def __enter__(self) -> Path:
        """The path to write to."""
        return self.partial

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with writable(self.path):
            if kind is None:
                self.partial.replace(self._target)
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


def _target(path: Path) -> Path:
    """The file that `path` names, with its links resolved.

    Raises:
        SettingsError: it exists and cannot be replaced by a file.
    """
    with writable(path):
        try:
            target = path.resolve()
        except RuntimeError as error:  # before Python 3.13 in place of an OSError
            raise SettingsError(f"cannot write {path}: its links form a loop") from error
        try:
            mode = path.stat().st_mode  # of `/dev/stdout` the target may be no path
        except FileNotFoundError:
            return target
        if stat.S_ISDIR(mode):
            raise SettingsError(f"cannot write {path}: it is a folder; name a file")
        if not stat.S_ISREG(mode):
            raise SettingsError(f"cannot write {path}: it is a device, a pipe or a socket; name a file")
        if not os.access(target, os.W_OK):
            raise SettingsError(f"cannot write {path}: it is write-protected")
        return target


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        return one == other.resolve()


def _folded(path: Path) -> str:
    """The name as file systems compare it that do not distinguish capitals."""
    return unicodedata.normalize("NFC", path.name).casefold()


def _is_picture(path: Path) -> bool:
    kind, _ = mimetypes.guess_type(path.name)
    return kind is not None and kind.startswith("image/")
