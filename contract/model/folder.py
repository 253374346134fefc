"""The model folder: `model.json` and the files that it names, checked by their SHA-256."""

import hashlib
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contract.errors import ModelError
from contract.judgement import UNCERTAIN, Thresholds
from contract.model.labels import Label
from contract.model.normalisation import Normalisation

MODEL_FILE = "model.json"
INT8_XML, INT8_BIN = "-int8.xml", "-int8.bin"
"""How the names of the 8-bit network's two files end, as OpenVINO keeps it: the network, and its weights."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelCard(BaseModel):
    """The content of `model.json`. `labels` have the order of the network's outputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    labels: Annotated[tuple[Label, ...], Field(min_length=2, max_length=64)]
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
    """A model on disk whose `model.json` has been read; `file` checks its files."""

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
            card = ModelCard.model_validate_json((folder / MODEL_FILE).read_bytes())
        except OSError as error:
            raise ModelError(f"no model in {folder}: {error.strerror} ({MODEL_FILE})") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ModelError(f"{folder / MODEL_FILE}: {place}: {first['msg']}") from error
        return cls(folder, card)

    def file(self, suffix: str) -> Path:
        """The path of the file of this kind, for example ".onnx", with its SHA-256 checked.

        Raises:
            ModelError: the model names no such file, or the file is missing or has another SHA-256.
        """
        for name, digest in self.card.files.items():
            if name.endswith(suffix):
                path = self.folder / name
                try:
                    found = sha256(path)
                except OSError as error:
                    raise ModelError(f"{path}: {error.strerror}") from error
                if found != digest:
                    raise ModelError(f"{path} is not the file that {MODEL_FILE} names: its SHA-256 is {found}")
                return path
        raise ModelError(f"{self.folder / MODEL_FILE} names no {suffix} file")


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
