"""The time from `emotii up` to the first reading, compared with `import tensorflow` alone."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis
from rich.console import Console

from benchmarks.measuring.measure import Sample, Size, alternate, middle, ratios
from benchmarks.measuring.processes import Processes
from benchmarks.reporting.answer import Answer, Row
from benchmarks.reporting.command import run_question
from benchmarks.testbed.streams import stream_entries
from benchmarks.testbed.testbed import PATIENCE_SECONDS, free_port, until
from contract import keys
from contract.errors import MalformedMessage
from contract.messages import Reading, read_outcome
from emotii.local.redis_server import PrivateServer

ABOUT = (
    "`emotii up` with the demo clip in an empty folder, from the start of its process to the first reading with "
    "probabilities in Redis, in turns with a Python process that only imports TensorFlow. Files and byte code are "
    "cached."
)
UP, IMPORT = "emotii up to the first reading", "import tensorflow"


def ask(size: Size, console: Console) -> Answer:
    """Run both in turns."""
    console.print("starting and stopping everything ...")
    samples = alternate({UP: _up, IMPORT: _import}, size.of(1, 1, 7), warm_up=size is Size.FULL)
    seconds = {name: [sample.wall_s for sample in found] for name, found in samples.items()}
    rows = [
        Row.of(UP, ratios(seconds[UP], seconds[IMPORT]), "x", ratio_to=IMPORT, must=1.0, reach=0.5, at_most=True),
        *(Row.of(name, seconds[name], "s", note=_cpu(samples[name])) for name in (UP, IMPORT)),
    ]
    return Answer("startup", ABOUT, rows)


def _cpu(samples: list[Sample]) -> str:
    return f"{middle(sample.cpu_s for sample in samples):.2f} CPU seconds"


def _import() -> Sample:
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", "import tensorflow"],
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return Sample(1, time.perf_counter() - start, used.ru_utime + used.ru_stime)


def _up() -> Sample:
    with tempfile.TemporaryDirectory(prefix="emotii-bench-") as folder:
        folders = {"EMOTII_DATA": folder, "EMOTII_SAVED_FACES": f"{folder}/faces", "EMOTII_JOBS": f"{folder}/jobs"}
        command = [sys.executable, "-m", "emotii", "up", "--source", "demo=demo", "--port", str(free_port())]
        server = PrivateServer(Path(folder))  # not started: it only has the address of the server to come
        start = time.perf_counter()
        process = subprocess.Popen(command, env=_environment() | folders, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            with redis.Redis.from_url(server.url) as client:
                until(lambda: _has_reading(client), what="a reading")
            wall = time.perf_counter() - start
            return Sample(1, wall, Processes({"up": process.pid}).all_cpu_seconds())
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _environment() -> dict[str, str]:
    """This environment without settings, and with cached byte code, as at the second start of a program."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EMOTII_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def _has_reading(client: redis.Redis) -> bool:
    try:
        entries = stream_entries(client, keys.results("demo"), count=100)
    except redis.exceptions.ConnectionError:  # the server has not started yet
        return False
    return any(map(_is_reading, entries))


def _is_reading(fields: dict[bytes, bytes]) -> bool:
    try:
        outcome = read_outcome(fields)
    except MalformedMessage:
        return False
    return isinstance(outcome, Reading) and bool(outcome.probabilities)


if __name__ == "__main__":
    run_question(ask)
