"""The machine of a measurement; figures of different machines are not comparable."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = ("openvino", "onnxruntime", "tensorflow", "opencv-python-headless", "redis", "litserve")
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16")


@dataclass(frozen=True)
class Machine:
    """Where and when a question was measured."""

    cpu: str
    cores: int
    memory_gb: float
    instructions: tuple[str, ...]
    system: str
    python: str
    packages: dict[str, str]
    day: str

    @property
    def sentence(self) -> str:
        """As text."""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.cores} cores of {self.cpu} ({', '.join(self.instructions)}), {self.memory_gb:.0f} GB, "
            f"{self.system}, Python {self.python}, {packages}, {self.day}"
        )


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        cpu=_of_proc("model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        instructions=tuple(
            name for name in INSTRUCTIONS if name in (_of_proc("flags") or _of_proc("Features")).split()
        ),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        day=datetime.now(UTC).date().isoformat(),
    )


def _of_proc(name: str) -> str:
    """A value of /proc/cpuinfo; empty if it is missing."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
