"""An analysis as JSON lines: one object per reading, with the field names of the events of `/ws/emotions`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract import events
from contract.atomic_file import TextFile
from contract.errors import EmotiiError, reason_of
from contract.messages import FrameDone
from jobs_service.outputs.outcomes import UnclassifiedFace

LIVE_ONLY = {"age_ms", "stages", "stale"}
"""Fields that mean nothing in a recording."""
Line = dict[str, Any]


class JsonLines:
    """Writes readings in the order of their frames, and among them the frames and faces that failed.

    `kind` is one of:

    - `reading`: the event, without the fields that only a live reading has;
    - `buried`: a face that could not be classified, with the `reason`;
    - `unreadable`: a frame that could not be decoded, with the `reason`.
    """

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def reading(self, reading: events.Reading, picture: str | None) -> None:
        self._write(reading.model_dump(mode="json", exclude=LIVE_ONLY), picture)

    def unclassified(self, face: UnclassifiedFace, picture: str | None) -> None:
        line = {"kind": "buried", "frame": face.frame, "face": face.index, "captured_ms": face.captured_ms}
        if face.face is not None:
            line |= {"track": face.face.track, "box": face.face.box}
        self._write(line | {"reason": face.reason}, picture)

    def unreadable(self, frame: FrameDone, picture: str | None) -> None:
        line = {"kind": "unreadable", "frame": frame.id.frame, "captured_ms": frame.captured_ms, "reason": frame.note}
        self._write(line, picture)

    def _write(self, line: Line, picture: str | None) -> None:
        full = line if picture is None else line | {"file": picture}
        self._file.write(json.dumps(full, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_lines(path: Path) -> Iterator[Line]:
    """The objects of a file of JSON lines, in order.

    Raises:
        EmotiiError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except OSError as error:
        raise EmotiiError(f"cannot read {path}: {reason_of(error)}") from error
