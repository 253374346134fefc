"""What an analysis writes: the files that were asked for, each whole or not there."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from contract.atomic_file import AtomicFile, writable
from contract.errors import SettingsError


@dataclass(frozen=True)
class Outputs:
    """Where each file goes; None: it is not wanted."""

    readings_csv: Path | None = None
    readings_jsonl: Path | None = None
    episodes_csv: Path | None = None
    episodes_jsonl: Path | None = None
    timeline_json: Path | None = None
    timeline_png: Path | None = None
    annotated_webm: Path | None = None
    report_html: Path | None = None

    @classmethod
    def all_in(cls, folder: Path) -> Self:
        """Everything, under its usual name: readings.csv, readings.jsonl, ..."""
        return cls(**{name: folder / name.replace("_", ".") for name in cls.names()})

    def but(self, others: "Outputs") -> "Outputs":
        """These, but where `others` names a place, there."""
        return replace(self, **others.wanted)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @property
    def wanted(self) -> dict[str, Path]:
        """Name -> path of what is wanted."""
        found = {name: getattr(self, name) for name in self.names()}
        return {name: path for name, path in found.items() if path is not None}

    @contextmanager
    def begun(self, folder: Path | None = None) -> Iterator[dict[str, AtomicFile]]:
        """The unfinished files of what is wanted; in their places once all went well, and else removed.

        Args:
            folder: made first, and removed again if it was not there and something goes wrong.

        Raises:
            SettingsError: one cannot be written, or two have the same place.
        """
        paths = list(self.wanted.values())
        if not paths:
            known = "--csv, --jsonl, --episodes, --timeline, --annotated"
            raise SettingsError(f"nothing to write: name --out FOLDER, or one of {known}")
        if self.annotated_webm is not None and self.annotated_webm.suffix != ".webm":
            raise SettingsError(f"cannot write {self.annotated_webm}: give it a name that ends in .webm")
        if len({path.resolve() for path in paths}) < len(paths):
            raise SettingsError("two of the files to write have the same name")
        with ExitStack() as stack:
            if folder is not None:
                stack.enter_context(_folder(folder))
            files = {}
            for name, path in self.wanted.items():
                files[name] = AtomicFile(path)
                stack.enter_context(files[name])
            yield files


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    there = folder.is_dir()
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if not there and not any(folder.iterdir()):
            folder.rmdir()
        raise
