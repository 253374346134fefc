"""The folder of saved faces: one folder an emotion, each file whole or not there, no link ever followed."""

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from heapq import nlargest
from pathlib import Path

from api_gateway.face_name import FaceName, FaceNameError
from api_gateway.whole_file import PART, move, write
from contract.errors import EmotiiError

ORPHAN_SECONDS = 10.0
"""A file takes milliseconds to write; one that is unfinished for so long belongs to a process that died."""
ATTEMPTS = 1000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class StoreFull(EmotiiError):  # noqa: N818 - what it is
    """A face cannot be written: the disk is full, read-only or not ours."""


class NoSuchFace(EmotiiError):  # noqa: N818
    """There is no saved face of this name."""


class FaceStore:
    """Saved faces under `folder`, which is made with the first of them. Every method blocks: call it on a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, jpeg: bytes, name: FaceName) -> FaceName:
        """Write a face and give its name, whose microsecond is a later one if another face has this one.

        Raises:
            FaceNameError: the emotion cannot name a folder.
            StoreFull: it cannot be written; nothing is left behind.
        """
        FaceName.check_emotion(name.emotion)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._emotion(name.emotion, make=True) as folder:
                return self._under_free_name(name, lambda free: write(folder, str(free), jpeg))
        except OSError as error:
            raise StoreFull(f"no face can be saved in {self._folder}: {error.strerror}") from error

    def label(self, name: FaceName, emotion: str) -> FaceName:
        """Put a face where a person says that it belongs, and give its new name, which tells that from now on.

        Raises:
            NoSuchFace: it is not there.
            FaceNameError: the emotion cannot name a folder.
            StoreFull: the folder cannot be changed.
        """
        FaceName.check_emotion(emotion)
        with _missing(name), self._emotion(name.emotion) as source:
            os.stat(str(name), dir_fd=source, follow_symlinks=False)
        if (wanted := name.labelled(emotion)) == name:
            return name
        try:
            with self._emotion(name.emotion) as source, self._emotion(emotion, make=True) as target:
                return self._under_free_name(wanted, lambda free: move(source, str(name), target, str(free)))
        except FileNotFoundError as error:  # deleted or labelled by somebody else meanwhile
            raise NoSuchFace(f"no saved face {name}") from error
        except OSError as error:
            raise StoreFull(f"no face can be moved in {self._folder}: {error.strerror}") from error

    def emotions(self) -> list[str]:
        """The emotions of which there are faces."""
        return [emotion for emotion in _entries(self._folder) if next(self._orders(emotion), None)]

    def newest(
        self, emotion: str | None = None, limit: int = 1000, before: FaceName | None = None
    ) -> tuple[list[FaceName], int]:
        """The newest faces (with this emotion; saved before that one), and how many there are in all."""
        emotions = [emotion] if emotion is not None else _entries(self._folder)
        found = [order for one in emotions for order in self._orders(one)]
        last = FaceName.order(str(before), before.emotion) if before else None
        newest = nlargest(limit, (order for order in found if last is None or order < last))
        return list(_parsed(name for _, name in newest)), len(found)

    def read(self, name: FaceName) -> bytes:
        """The JPEG.

        Raises:
            NoSuchFace: it is not there, or is no plain file.
        """
        with _missing(name), self._emotion(name.emotion) as folder:
            descriptor = os.open(str(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                return file.read()

    def delete(self, name: FaceName) -> None:
        """Remove a face.

        Raises:
            NoSuchFace: it is not there.
        """
        with _missing(name), self._emotion(name.emotion) as folder:
            os.unlink(str(name), dir_fd=folder)

    def sweep(self) -> int:
        """Remove what killed processes left unfinished; how many files it was."""
        swept = 0
        for emotion in _entries(self._folder):
            try:
                with self._emotion(emotion) as folder:
                    for entry in os.scandir(folder):
                        if (
                            entry.name.endswith(PART)
                            and time.time() - entry.stat(follow_symlinks=False).st_mtime > ORPHAN_SECONDS
                        ):
                            os.unlink(entry.name, dir_fd=folder)
                            swept += 1
            except (FileNotFoundError, NotADirectoryError):
                continue  # another gateway swept it first, or it is no folder of faces
        return swept

    def _under_free_name(self, name: FaceName, put: Callable[[FaceName], None]) -> FaceName:
        """`put` a face under this name, or under that of a later microsecond if another face has this one."""
        for _ in range(ATTEMPTS):
            try:
                put(name)
            except FileExistsError:
                name = replace(name, saved=name.saved + timedelta(microseconds=1))
            else:
                return name
        raise StoreFull(f"{ATTEMPTS} faces of the same microsecond in {self._folder}")

    def _orders(self, emotion: str) -> Iterator[tuple[str, str]]:
        """Time and name of the faces in one folder; a person may keep other files there, too."""
        try:
            with self._emotion(emotion) as folder, os.scandir(folder) as entries:
                for entry in entries:
                    order = FaceName.order(entry.name, emotion)
                    if order and entry.is_file(follow_symlinks=False):
                        yield order
        except (FaceNameError, FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if error.errno != errno.ELOOP:  # a link, which is not followed
                raise

    @contextmanager
    def _emotion(self, emotion: str, *, make: bool = False) -> Iterator[int]:
        """A descriptor of an emotion's folder, so that nothing on the way to it can be exchanged meanwhile."""
        FaceName.check_emotion(emotion)
        root = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(emotion, dir_fd=root)
            folder = os.open(emotion, _FOLDER, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield folder
        finally:
            os.close(folder)


def _entries(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def _parsed(names: Iterable[str]) -> Iterator[FaceName]:
    for name in names:
        with suppress(FaceNameError):  # a person's own file, of a 13th month for example
            yield FaceName.parse(name)


@contextmanager
def _missing(name: FaceName) -> Iterator[None]:
    try:
        yield
    except (FaceNameError, OSError) as error:
        raise NoSuchFace(f"no saved face {name}") from error
