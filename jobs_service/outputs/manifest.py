"""The manifest of an analysis: what its files were made from, so that they themselves are the same in every run."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from capture_service.settings import CaptureSettings
from capture_service.sources.pictures import picture_files
from capture_service.sources.spec import SourceSpec
from contract import keys
from contract.errors import BrokerUnavailable, SourceError, reason_of
from contract.messages import WorkerStatus
from contract.redis.broker import Clients, outages_named
from contract.redis.stored import StoredHash
from jobs_service.analysis.counts import AnalysisCounts
from postprocessing.parameters import SmoothingParameters

EPOCH_DIGITS = 12
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RecordingIdentity:
    """What a recording is, whatever job analyses it."""

    name: str
    """Of the file or folder."""
    sha256: str
    """Of the file; of a folder that of one line `SHA-256  name` per picture, as sha256sum prints them."""
    pictures: int | None = None
    """How many pictures a folder has; None for a video."""

    @property
    def epoch(self) -> str:
        """The epoch of its readings: the beginning of the digest."""
        return self.sha256[:EPOCH_DIGITS]

    @classmethod
    def of(cls, spec: SourceSpec, on_step: Callable[[], None]) -> Self:
        """Read the recording, and call `on_step` after every megabyte.

        Raises:
            SourceError: it cannot be read.
        """
        address, name = Path(spec.address), _printable(Path(spec.safe).name)
        try:
            if spec.kind != "pictures":
                return cls(name, _sha256(address, on_step))
            pictures = picture_files(address)
            lines = "".join(f"{_sha256(one, on_step)}  {_printable(one.name)}\n" for one in pictures)
        except OSError as error:
            raise SourceError(f"{spec.safe} cannot be read: {reason_of(error)}") from error
        return cls(name, hashlib.sha256(lines.encode()).hexdigest(), len(pictures))


def manifest(
    identity: RecordingIdentity,
    spec: SourceSpec,
    settings: CaptureSettings,
    smoothing: SmoothingParameters,
    counts: AnalysisCounts,
    clients: Clients,
) -> bytes:
    """The manifest as JSON.

    Args:
        identity: of the recording.
        spec: its `passes` count here.
        settings: of the capture; those of the detector count here.
        smoothing: the parameters of smoothing and episodes.
        counts: of the finished analysis.
        clients: of Redis, where workers report their engine.
    """
    content: dict[str, Any] = {
        "emotii": version("emotii"),
        "recording": {name: value for name, value in asdict(identity).items() if value is not None},
        "passes": spec.passes,
        "models": sorted(counts.models),
        "engines": _engines(clients, counts.workers),
        "detector": {
            "name": spec.detector or settings.detector,
            "min_score": settings.detector_min_score,
            "max_faces": settings.max_faces,
        },
        "smoothing": asdict(smoothing),
    }
    return f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode()


def _engines(clients: Clients, workers: set[str]) -> list[str]:
    """Engine and precision of these workers, without those that have ended."""
    try:
        with outages_named():
            statuses = StoredHash(keys.WORKERS, WorkerStatus, "consumer").read(clients.commands)
    except BrokerUnavailable:
        return []  # the results are complete without
    known = [status for status in statuses.values() if status.consumer in workers]
    return sorted({f"{status.engine} {status.precision}".strip() for status in known})


def _sha256(path: Path, on_step: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            on_step()
    return digest.hexdigest()


def _printable(name: str) -> str:
    """A name that can be written as UTF-8."""
    return name.encode(errors="replace").decode()
