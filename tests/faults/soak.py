"""Ten million crops through two workers with a sleeping engine: does anything leak? `python -m tests.faults.soak`

The plot and the figures go to a folder; the last line says how much memory and how many descriptors the workers and
Redis gained after the first tenth. Row 24 of docs/promises.md.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

import redis

from contract import keys
from contract.redis.broker import connect
from emotii.local.redis_server import PrivateServer
from tests.faults.crew import Crew
from tests.faults.waiting import until
from tests.inference import announce, crop

WARM_UP = 0.1
"""The share of the crops that is not judged."""
FLAT_MB = 20
BACKLOG = 4000
PAGE = 500
SETTINGS = {"test_seconds_per_batch": 0.001, "batch": 256, "live_keep": 2000}


@dataclass(frozen=True)
class Sample:
    """Memory and descriptors of a process after so many crops."""

    process: str
    crops: int
    seconds: float
    rss_mb: float
    descriptors: int


def main() -> None:
    arguments = _arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emotii-soak-") as folder:
        samples = run(Path(folder), arguments.crops)
    (arguments.out / "soak.json").write_text(json.dumps([asdict(sample) for sample in samples]))
    plot(samples, arguments.out / "soak.png")
    print(f"written: {arguments.out / 'soak.png'}, {arguments.out / 'soak.json'}")
    grown = list(growth(samples, arguments.crops))
    for process, rss_mb, descriptors in grown:
        print(f"{process}: {rss_mb:+.1f} MB, {descriptors:+d} descriptors")
    flat = all(abs(rss_mb) <= FLAT_MB and descriptors <= 0 for name, rss_mb, descriptors in grown if name != "redis")
    print(f"crops={samples[-1].crops} seconds={samples[-1].seconds:.0f} flat={'yes' if flat else 'no'}")
    sys.exit(0 if flat else 1)


def run(folder: Path, crops: int) -> list[Sample]:
    """Samples of both workers and of Redis, about a hundred over the whole run."""
    server = PrivateServer(folder / "redis", options=("--appendonly", "no"))  # ten million crops are 25 GB of file
    server.start()
    try:
        with ExitStack() as stack:
            client = stack.enter_context(closing(connect(server.url, "soak"))).commands
            crew = stack.enter_context(Crew(server.url, folder))
            pids = {"worker 1": crew.start(**SETTINGS).pid, "worker 2": crew.start(**SETTINGS).pid}
            until(lambda: client.hlen(keys.WORKERS) == 2)
            return list(_pushed(client, crops, {**pids, "redis": server.pid or 0}))
    finally:
        server.stop()


def _pushed(client: redis.Redis, crops: int, pids: dict[str, int]) -> Iterator[Sample]:
    fields = [crop("soak", frame).fields() for frame in range(PAGE)]
    started, step, due = time.monotonic(), max(PAGE, crops // 100), 0
    for added in range(0, crops, PAGE):
        announce(client, "soak", "camera")
        while client.xlen(keys.crops("soak")) > BACKLOG:
            time.sleep(0.01)
        pipeline = client.pipeline(transaction=False)
        for number, one in enumerate(fields):
            pipeline.xadd(keys.crops("soak"), one | {b"frame": b"%d" % (added + number)})
        pipeline.execute()
        if added >= due:
            due += step
            yield from _samples(pids, added, started)
    while client.xlen(keys.crops("soak")):
        announce(client, "soak", "camera")
        time.sleep(0.05)
    yield from _samples(pids, crops, started)


def _samples(pids: dict[str, int], crops: int, started: float) -> Iterator[Sample]:
    for process, pid in pids.items():
        status = Path(f"/proc/{pid}/status").read_text()
        rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        yield Sample(process, crops, time.monotonic() - started, rss / 1024, descriptors)


def growth(samples: list[Sample], crops: int) -> Iterator[tuple[str, float, int]]:
    """Of each process: megabytes and descriptors at the end beyond those after the warm-up."""
    for process in dict.fromkeys(sample.process for sample in samples):
        judged = [sample for sample in samples if sample.process == process and sample.crops >= WARM_UP * crops]
        first, last = judged[0], judged[-1]
        yield process, last.rss_mb - first.rss_mb, last.descriptors - first.descriptors


def plot(samples: list[Sample], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (memory, descriptors) = pyplot.subplots(2, 1, sharex=True, figsize=(9, 6), layout="constrained")
    for process in dict.fromkeys(sample.process for sample in samples):
        of_it = [sample for sample in samples if sample.process == process]
        crops = [sample.crops / 1e6 for sample in of_it]
        memory.plot(crops, [sample.rss_mb for sample in of_it], label=process)
        descriptors.plot(crops, [sample.descriptors for sample in of_it], label=process)
    memory.set_ylabel("resident memory, MB")
    descriptors.set_ylabel("descriptors")
    descriptors.set_xlabel("million crops")
    for axis in (memory, descriptors):
        axis.set_ylim(bottom=0)
        axis.legend()
    figure.savefig(path, dpi=120)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Crops through two workers, and what that does to their memory.")
    parser.add_argument("--crops", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, default=Path(".emotii/soak"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
