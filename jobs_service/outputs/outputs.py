"""The files that an analysis writes: each one is complete or absent."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from contract.atomic_file import AtomicFile, check_outputs, writable
from contract.errors import SettingsError

MANIFEST = ".manifest.json"
"""What follows the name of an output in the name of its manifest."""
MANIFEST_NAME = "manifest_json"
"""The name of a manifest among the unfinished files ends in this."""


@dataclass(frozen=True)
class Outputs:
    """The path of each file; None if it is not wanted."""

    readings_csv: Path | None = None
    readings_jsonl: Path | None = None
    episodes_csv: Path | None = None
    episodes_jsonl: Path | None = None
    timeline_json: Path | None = None
    timeline_png: Path | None = None
    annotated_webm: Path | None = None
    report_html: Path | None = None
    manifest_json: Path | None = None
    """What the files were made from; in a folder of all files only. Otherwise each file has a manifest beside it."""

    @classmethod
    def all_in(cls, folder: Path) -> Self:
        """All files in one folder, under their usual names: readings.csv, readings.jsonl, ..."""
        return cls(**{name: folder / name.replace("_", ".") for name in cls.names()})

    def overridden_by(self, others: "Outputs") -> "Outputs":
        """These files, with the paths of `others` where it has some."""
        return replace(self, **others.wanted)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all files, as `readings_csv`."""
        return tuple(field.name for field in fields(cls))

    @property
    def wanted(self) -> dict[str, Path]:
        """Name -> path of the files that are wanted."""
        found = {name: getattr(self, name) for name in self.names()}
        return {name: path for name, path in found.items() if path is not None}

    @property
    def manifests(self) -> dict[str, Path]:
        """Name -> path of a manifest for each file, where none stands for all of them."""
        if self.manifest_json is not None:
            return {}
        return {name + MANIFEST_NAME: path.parent / (path.name + MANIFEST) for name, path in self.wanted.items()}

    @contextmanager
    def unfinished(
        self, folder: Path | None = None, inputs: Iterable[Path] = (), picture_folders: Iterable[Path] = ()
    ) -> Iterator[dict[str, AtomicFile]]:
        """The unfinished files by name, with their manifests.

        They are moved to their paths at the end, or removed after an exception.

        Args:
            folder: created first; removed after an exception if it did not exist before.
            inputs: files and folders that the analysis reads.
            picture_folders: folders of which it reads every picture.

        Raises:
            SettingsError: a file cannot be written, is an input, or is the same as another one.
        """
        files = self.wanted | self.manifests
        if not files:
            known = "--csv, --jsonl, --episodes, --timeline, --annotated"
            raise SettingsError(f"nothing to write: use --out FOLDER, or one of {known}")
        if self.annotated_webm is not None and self.annotated_webm.suffix != ".webm":
            raise SettingsError(f"cannot write {self.annotated_webm}: use a name that ends in .webm")
        check_outputs(list(files.values()), inputs, picture_folders)
        with ExitStack() as stack:
            if folder is not None:
                stack.enter_context(_created(folder))
            unfinished = {}
            for name, path in files.items():
                unfinished[name] = AtomicFile(path)
                stack.enter_context(unfinished[name])
            yield unfinished


@contextmanager
def _created(folder: Path) -> Iterator[None]:
    existed = folder.is_dir()
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if not existed and not any(folder.iterdir()):
            folder.rmdir()
        raise
