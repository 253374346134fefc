"""An analysis as JSON lines: one object a reading, named as the events of `/ws/emotions` are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract import events
from contract.atomic_file import TextFile
from contract.errors import EmotiiError
from contract.messages import FrameDone
from jobs_service.outputs.outcomes import Buried

LIVE_ONLY = {"age_ms", "stages", "stale"}
"""Say nothing of a recording."""
Line = dict[str, Any]


class JsonLines:
    """Writes readings in the order of their frames, and in their place what could not be read.

    `kind` is `reading` (as the event, without what only a live one has), `buried` (a face that could not be classified)
    or `unreadable` (a frame); `reason` says why.
    """

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def reading(self, reading: events.Reading, picture: str | None) -> None:
        self._write(reading.model_dump(mode="json", exclude=LIVE_ONLY), picture)

    def buried(self, buried: Buried, picture: str | None) -> None:
        line = {"kind": "buried", "frame": buried.frame, "face": buried.index, "captured_ms": buried.captured_ms}
        if buried.face is not None:
            line |= {"track": buried.face.track, "box": buried.face.box}
        self._write(line | {"reason": buried.reason}, picture)

    def unreadable(self, frame: FrameDone, picture: str | None) -> None:
        line = {"kind": "unreadable", "frame": frame.id.frame, "captured_ms": frame.captured_ms, "reason": frame.note}
        self._write(line, picture)

    def _write(self, line: Line, picture: str | None) -> None:
        named = line if picture is None else line | {"file": picture}
        self._file.write(json.dumps(named, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_lines(path: Path) -> Iterator[Line]:
    """The objects of a file of JSON lines, in their order.

    Raises:
        EmotiiError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except OSError as error:
        raise EmotiiError(f"cannot read {path}: {error.strerror}") from error
