"""The store of saved faces: one folder for each emotion, atomic writes, no symbolic links followed."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import nlargest
from pathlib import Path

from api_gateway.faces.atomic_file import move, write
from api_gateway.faces.directories import FaceDirectories, check_plain
from api_gateway.faces.errors import CannotStore, FaceNotFound, StoreFull, StoreUnwritable
from api_gateway.faces.filename import FaceName, FaceNameError
from api_gateway.faces.source_tag import HEAD_BYTES, origin
from contract import disk

ATTEMPTS = 1000
ROOM_BYTES = 64 * 1024
"""As long as a large face."""


def saved_name(name: str, emotion: str | None = None) -> FaceName:
    """The name of a saved face, as a request states it.

    Args:
        name: of the file.
        emotion: of its folder; None: not stated.

    Raises:
        FaceNotFound: it is not the name of a saved face, or of one with another emotion.
    """
    try:
        face = FaceName.parse(name)
    except FaceNameError as error:
        raise FaceNotFound(str(error)) from error
    if emotion not in {None, face.emotion}:
        raise FaceNotFound(f"no saved face {name} of {str(emotion)[:32]!r}")
    return face


class FaceStore:
    """Saved faces below `folder`, which is created with the first face. Every method blocks: call it on a thread."""

    def __init__(self, folder: Path) -> None:
        self._folders = FaceDirectories(folder)

    def save(self, jpeg: bytes, name: FaceName) -> FaceName:
        """Write a face; returns its name, which has a later microsecond if another face has this one.

        Raises:
            FaceNameError: the emotion cannot name a folder.
            StoreFull, StoreUnwritable: it cannot be written; nothing is left behind.
        """
        try:
            with self._folders.opened(name.emotion, make=True) as folder:
                return self._under_free_name(name, lambda free: write(folder, str(free), jpeg))
        except OSError as error:
            raise _cannot_store(error) from error

    def check_room(self) -> None:
        """Check that a face could be written now, with a file that has no name.

        Raises:
            StoreFull, StoreUnwritable: it could not.
        """
        try:
            self._folders.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folders.root) as file:
                file.write(bytes(ROOM_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _cannot_store(error) from error

    def label(self, name: FaceName, emotion: str) -> FaceName:
        """Label a face with the emotion that a person states; returns its new name, which contains the label.

        Raises:
            FaceNotFound: there is no such face.
            FaceNameError: the emotion cannot name a folder.
            StoreFull, StoreUnwritable: the folder cannot be changed.
        """
        FaceName.check_emotion(emotion)
        with _missing(name), self._folders.opened(name.emotion) as source:
            check_plain(source, str(name))
        if (wanted := name.labelled(emotion)) == name:
            return name
        try:
            with self._folders.opened(name.emotion) as source, self._folders.opened(emotion, make=True) as target:
                return self._under_free_name(wanted, lambda free: move(source, str(name), target, str(free)))
        except FileNotFoundError as error:  # deleted or labelled by somebody else meanwhile
            raise FaceNotFound(f"no saved face {name}") from error
        except OSError as error:
            raise _cannot_store(error) from error

    def emotions(self) -> list[str]:
        """The emotions of which there are faces."""
        return [emotion for emotion in self._folders.emotions() if next(self._orders(emotion), None)]

    def newest(
        self, emotion: str | None = None, limit: int = 1000, before: FaceName | None = None
    ) -> tuple[list[FaceName], int]:
        """The newest faces (with this emotion; older than `before`), and the number of all faces."""
        emotions = [emotion] if emotion is not None else self._folders.emotions()
        found = [order for one in emotions for order in self._orders(one)]
        last = FaceName.order(str(before), before.emotion) if before else None
        newest = nlargest(limit, (order for order in found if last is None or order < last))
        return list(_parsed(name for _, name in newest)), len(found)

    def read(self, name: FaceName) -> bytes:
        """The JPEG.

        Raises:
            FaceNotFound: there is no such face, or it is not a regular file.
        """
        with _missing(name), self._folders.opened(name.emotion) as folder:
            return _content(folder, str(name))

    def delete(self, name: FaceName) -> None:
        """Remove a face.

        Raises:
            FaceNotFound: there is no such face, or it is not a regular file.
        """
        with _missing(name), self._folders.opened(name.emotion) as folder:
            check_plain(folder, str(name))
            os.unlink(str(name), dir_fd=folder)

    def erase(self, *, source: str | None = None, since: datetime | None = None, until: datetime | None = None) -> int:
        """Remove every face of this source that was saved from `since` on and before `until`; returns their number.

        An argument that is None limits nothing: without arguments every face is removed. Faces without a known source
        (of older releases, or a person's own) are removed only if `source` is None.

        Raises:
            OSError: a folder or face cannot be removed; those removed before stay removed.
        """
        erased = 0
        for emotion in self._folders.emotions():
            for folder, entry in self._folders.files(emotion):
                for name in _parsed([entry.name]):
                    saved = (since is None or name.saved >= since) and (until is None or name.saved < until)
                    if saved and (source is None or _seen_by(folder, entry.name, source)):
                        with suppress(FileNotFoundError):  # somebody else was faster
                            os.unlink(entry.name, dir_fd=folder)
                            erased += 1
        return erased

    def _under_free_name(self, name: FaceName, put: Callable[[FaceName], None]) -> FaceName:
        """`put` a face under this name, or that of a later microsecond if another face has this one."""
        for _ in range(ATTEMPTS):
            try:
                put(name)
            except FileExistsError:
                name = replace(name, saved=name.saved + timedelta(microseconds=1))
            else:
                return name
        raise StoreUnwritable(f"{ATTEMPTS} faces of the same microsecond in {self._folders.root}")

    def _orders(self, emotion: str) -> Iterator[tuple[str, str]]:
        """The sort keys of the faces in one folder; a person may keep other files there, too."""
        for _, entry in self._folders.files(emotion):
            if order := FaceName.order(entry.name, emotion):
                yield order


def _cannot_store(error: OSError) -> CannotStore:
    kind = StoreFull if disk.is_full(error) else StoreUnwritable
    return kind(disk.trouble("EMOTII_SAVED_FACES", error))


def _parsed(names: Iterable[str]) -> Iterator[FaceName]:
    for name in names:
        with suppress(FaceNameError):  # a person's own file, of a 13th month for example
            yield FaceName.parse(name)


def _content(folder: int, name: str, most: int = -1) -> bytes:
    """The first `most` bytes of a file, or all."""
    check_plain(folder, name)
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def _seen_by(folder: int, name: str, source: str) -> bool:
    try:
        return origin(_content(folder, name, HEAD_BYTES)) == source
    except FileNotFoundError:  # somebody else removed it
        return False


@contextmanager
def _missing(name: FaceName) -> Iterator[None]:
    try:
        yield
    except (FaceNameError, OSError) as error:
        raise FaceNotFound(f"no saved face {name}") from error
