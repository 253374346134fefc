"""The memory of each service, and the size of the images that Docker has built."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator

from rich.console import Console

from benchmarks.measuring.measure import Size
from benchmarks.measuring.processes import Processes
from benchmarks.reporting.answer import Answer, Row
from benchmarks.reporting.command import run_question
from benchmarks.testbed.testbed import Testbed, testbed, until
from contract import keys

ABOUT = (
    "Each service with all its processes, capturing the demo clip without viewers. RSS counts a page that several "
    "processes share in each of them; PSS divides it among them."
)
LIMITS = {"inference 1": (300.0, 180.0), "capture": (250.0, 150.0), "gateway": (150.0, 90.0), "redis": (None, None)}
"""RSS in MB: the limit and the goal."""


def ask(size: Size, console: Console) -> Answer:
    """Measure after ten minutes of work; much sooner in a quick run."""
    seconds = size.of(0.5, 2.0, 600.0)
    with testbed() as built:
        built.start_system("demo=demo", threads=1)
        until(lambda: _results(built) > 0, what="a result")
        console.print(f"running for {seconds:.0f} s ...")
        time.sleep(seconds)
        rows = list(_rows(built.processes(), seconds))
    return Answer("memory", ABOUT, [*rows, *_images()])


def _results(built: Testbed) -> int:
    return int(built.clients.commands.xlen(keys.results("demo")))


def _rows(processes: Processes, seconds: float) -> Iterator[Row]:
    proportional = processes.proportional()
    for name, value in processes.resident().items():
        must, reach = LIMITS[name]
        note = f"PSS {proportional[name]:.0f} MB, after {seconds:.0f} s"
        yield Row(f"RSS of {name}", value, "MB", must=must, reach=reach, note=note, at_most=True)


def _images() -> Iterator[Row]:
    """The images of `docker compose build`; none without Docker."""
    if (docker := shutil.which("docker")) is None:
        return
    command = [docker, "image", "ls", "--filter", "reference=emotii/*", "--format", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    for line in answer.stdout.splitlines() if answer.returncode == 0 else ():
        image = json.loads(line)
        found = subprocess.run(
            [docker, "image", "inspect", "--format", "{{.Size}}", image["ID"]],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        yield Row(f"image {image['Repository']}", int(found.stdout) / 1e6, "MB")


if __name__ == "__main__":
    run_question(ask)
