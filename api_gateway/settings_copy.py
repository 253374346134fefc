"""A copy of what people have chosen, on the disk of the gateway: Redis may be empty when the gateway starts."""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from contract.atomic_file import write_atomically
from contract.errors import EmotiiError, reason_of
from contract.runtime_settings import STRICTEST, Choice

logger = structlog.get_logger()
LONGEST_BYTES = 4096


class SettingsCopy:
    """The file.

    Args:
        path: of the file, which its user alone may read; its folder is created with it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure = ""
        self._written: Choice | None = None

    async def read(self) -> Choice | None:
        """The choice; None if this gateway has never stored one. If it cannot be read, the strictest one."""
        return await asyncio.to_thread(self._read)

    async def write(self, choice: Choice) -> None:
        """Replace the copy, unless it is the same. A failure is logged once, and the next call tries again."""
        if choice != self._written:
            await asyncio.to_thread(self._write, choice)

    def _read(self) -> Choice | None:
        try:
            with self._path.open("rb") as file:
                return Choice.model_validate_json(file.read(LONGEST_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = reason_of(error)
            logger.warning("the copy of the settings cannot be read", path=str(self._path), reason=reason)
            return Choice.model_validate(STRICTEST.model_dump())

    def _write(self, choice: Choice) -> None:
        try:
            if choice.revision or self._path.exists():  # otherwise nobody has chosen anything
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self._path, choice.model_dump_json().encode())
        except (OSError, EmotiiError) as error:
            with suppress(OSError):  # works on a full disk, too; an empty copy is read as the strictest choice
                self._path.write_bytes(b"")
            if not self._failure:
                logger.warning("the copy of the settings cannot be written", reason=reason_of(error))
            self._failure = reason_of(error)
        else:
            self._failure, self._written = "", choice
