"""The model folder: `model.json` and the files that it names, checked by their SHA-256."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contract.errors import ModelError, reason_of
from contract.judgement import UNCERTAIN, Thresholds
from contract.model.labels import MOST_LABELS, Label
from contract.model.normalisation import Normalisation
from contract.model.onnx import refers_to_files

MODEL_FILE = "model.json"
INT8_XML, INT8_BIN = "-int8.xml", "-int8.bin"
"""How the names of the 8-bit network's two files end, as OpenVINO keeps it: the network, and its weights."""

MAX_BYTES = 2**30
"""The largest file of a model that is read. The shipped networks have less than 4 MB."""
MAX_CARD_BYTES = 2**20

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelCard(BaseModel):
    """The content of `model.json`. `labels` have the order of the network's outputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    labels: Annotated[tuple[Label, ...], Field(min_length=2, max_length=MOST_LABELS)]
    input_shape: tuple[Literal[48], Literal[48], Literal[1]] = (48, 48, 1)
    normalisation: Normalisation = Normalisation()
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Divides the logits before the softmax; 1 leaves the network's probabilities as they are."""
    uncertain: Thresholds | None = None
    """The thresholds of a certain judgement; None (as in models of older releases): every judgement is certain."""
    scores: dict[str, float] = {}
    files: dict[FileName, Digest]

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels repeat")
        if UNCERTAIN in self.labels:
            raise ValueError(f"no label may be called {UNCERTAIN!r}: it is reported where no label fits")
        return self

    @property
    def id(self) -> str:
        """Name and version, as every reading carries them: `emotii-5@1.0.0`."""
        return f"{self.name}@{self.version}"

    def has(self, suffix: str) -> bool:
        """Whether the model has a file of this kind, for example ".onnx"."""
        return any(name.endswith(suffix) for name in self.files)


class ModelFolder:
    """A model on disk whose `model.json` has been read; `read` and `copied` check its files."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.folder = folder
        self.card = card

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read `model.json`.

        Raises:
            ModelError: it is missing or not valid.
        """
        try:
            card = ModelCard.model_validate_json(_content(folder / MODEL_FILE, MAX_CARD_BYTES))
        except OSError as error:
            raise ModelError(f"no model in {folder}: {reason_of(error)} ({MODEL_FILE})") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ModelError(f"{folder / MODEL_FILE}: {place}: {first['msg']}") from error
        return cls(folder, card)

    def read(self, suffix: str) -> bytes:
        """The content of the file of this kind, for example ".onnx": the very bytes whose SHA-256 was checked.

        The path is opened once, so that nothing else can be loaded than what was checked, even if somebody exchanges
        the file meanwhile.

        Raises:
            ModelError: the model names no such file, or the file is missing, is no regular file, has another SHA-256,
                or takes values from other files, which no SHA-256 covers.
        """
        path, digest = self._named(suffix)
        try:
            content = _content(path, MAX_BYTES)
        except OSError as error:
            raise ModelError(f"{path}: {reason_of(error)}") from error
        if (found := hashlib.sha256(content).hexdigest()) != digest:
            raise ModelError(f"{path} is not the file that {MODEL_FILE} names: its SHA-256 is {found}")
        if path.suffix == ".onnx" and refers_to_files(content):
            raise ModelError(
                f"{path} takes weights from other files, which {MODEL_FILE} does not cover: save it as one file"
                " (onnx.save with save_as_external_data=False)"
            )
        return content

    @contextmanager
    def copied(self, suffix: str) -> Iterator[Path]:
        """A copy of the file of this kind for libraries that read paths only, in a folder of this process.

        Raises:
            ModelError: as `read` does.
        """
        content = self.read(suffix)
        with TemporaryDirectory(prefix="emotii-") as scratch:  # only this user can open it
            copy = Path(scratch, self._named(suffix)[0].name)
            copy.write_bytes(content)
            yield copy

    def _named(self, suffix: str) -> tuple[Path, str]:
        """The path and the SHA-256 of the file of this kind."""
        for name, digest in self.card.files.items():
            if name.endswith(suffix):
                return self.folder / name, digest
        raise ModelError(f"{self.folder / MODEL_FILE} names no {suffix} file")


def _content(path: Path, most: int) -> bytes:
    """A whole file of at most this many bytes.

    Raises:
        ModelError: it is no regular file, or larger. A pipe or a device would be read for ever.
        OSError: it cannot be read.
    """
    waits = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its writer
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | waits)) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ModelError(f"{path} is no regular file")
        if about.st_size > most:
            raise ModelError(f"{path} has {about.st_size:,} bytes; a model's file has at most {most:,}")
        content = file.read(most + 1)
    if len(content) > most:
        raise ModelError(f"{path} has more than {most:,} bytes")
    return content


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shipped_models() -> Path:
    """The folder of the shipped models: inside an installed wheel, or `models/` of a checkout."""
    here = Path(__file__).parents[1]
    installed = here / "models"
    return installed if installed.is_dir() else here.parent / "models"


def find_model(name: str, models: Path | None = None) -> ModelFolder:
    """Open a model by its name among the shipped ones (or those in `models`), or by a path to its folder.

    Raises:
        ModelError: there is none; the message lists the names that there are.
    """
    if os.sep in name or (os.altsep and os.altsep in name):
        return ModelFolder.open(Path(name).expanduser())
    models = models or shipped_models()
    if not (models / name / MODEL_FILE).is_file():
        names = sorted(path.parent.name for path in models.glob(f"*/{MODEL_FILE}"))
        raise ModelError(f"no model called {name!r}; there are: {', '.join(names) or 'none'} (a path works too)")
    return ModelFolder.open(models / name)
