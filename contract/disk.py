"""What an error of the system, or of SQLite, says about a disk: it is full, or cannot be written for another reason.

A message names the disk by its setting: people who may not know the paths of the server read it, too.
"""

import errno
import sqlite3

from contract.errors import reason_of

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No space, a quota that is used up, a limit on the size of a file."""


def is_full(error: BaseException | None) -> bool:
    """Whether this is the error of a full disk. Missing rights and a read-only file system are not."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _FULL


def trouble(setting: str, error: BaseException) -> str:
    """Why nothing can be written on the disk of a setting, such as EMOTII_SAVED_FACES."""
    return f"the disk of {setting} is full" if is_full(error) else f"{setting} cannot be written: {reason_of(error)}"
