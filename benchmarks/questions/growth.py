"""How cost, throughput and latency change with workers, sources, faces per frame and backlog."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from benchmarks.measuring.measure import Size, middle, ratios
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.command import run_question
from benchmarks.testbed.testbed import testbed
from benchmarks.testbed.worker_costs import WorkerCosts
from benchmarks.testbed.worker_scaling import THEORY, latencies, speed

ABOUT = (
    "Workers whose engine sleeps 100 ms per batch of 32 show the cost of sharing the work, as if each had a core. The "
    "cost of a crop is the CPU time of Redis and of a worker without an engine, including the storing of the crop. "
    "The latency is the time from storing a crop to its outcome, while all sources together send half of what one "
    "such worker can process."
)
WORKERS = {Size.TINY: (1, 2), Size.QUICK: (1, 8), Size.FULL: (1, 2, 4, 8)}
SOURCES = {Size.TINY: (1, 4), Size.QUICK: (1, 64), Size.FULL: (1, 4, 16, 64)}
FACES = {Size.TINY: (1, 4), Size.QUICK: (1, 50), Size.FULL: (1, 2, 5, 10, 20, 50)}
BACKLOGS = {Size.TINY: (50, 100), Size.QUICK: (1_000, 4_000), Size.FULL: (0, 1_000, 10_000, 100_000)}
Rounds = Mapping[int, Sequence[float]]


def ask(size: Size, console: Console) -> Answer:
    """Measure workers, sources, faces per frame, backlog and latency, one after another."""
    console.print("workers ...")
    speeds = {count: [speed(count, size) for _ in range(size.rounds)] for count in WORKERS[size]}
    with testbed() as here:
        costs = WorkerCosts(here, size)
        console.print("sources ...")
        by_sources = costs.by_sources(SOURCES[size])
        console.print("faces a frame ...")
        by_faces = costs.by_faces(FACES[size])
        console.print("backlog ...")
        by_backlog = costs.by_backlog(BACKLOGS[size])
    console.print("latency ...")
    found = {count: latencies(count, size) for count in SOURCES[size]}
    rows = [
        *_efficiency(speeds),
        *_flat("backlog", by_backlog, between=(1_000, 100_000)),
        *_flat("sources", by_sources),
        *_flat("faces a frame", by_faces),
        *(Row(f"latency, 95th percentile, sources: {count}", p95, "ms") for count, (_, p95) in found.items()),
    ]
    latency = {
        name: [(float(count), pair[place]) for count, pair in found.items()] for place, name in enumerate(_PERCENTILES)
    }
    return Answer(
        "growth",
        ABOUT,
        rows,
        [
            Series("Workers with a sleeping engine", "workers", "faces/s", _speed_lines(speeds)),
            Series("Cost of a crop by backlog", "crops waiting", "us", _line(by_backlog), log_x=True),
            Series("Cost of a crop by sources", "sources", "us", _line(by_sources), log_x=True),
            Series("Cost of a crop by faces a frame", "faces a frame", "us", _line(by_faces), log_x=True),
            Series("Latency of a reading", "sources", "ms", latency, log_x=True),
        ],
    )


_PERCENTILES = ("median", "95th percentile")


def _efficiency(speeds: Rounds) -> list[Row]:
    few, many = min(speeds), max(speeds)
    shares = [share * few / many for share in ratios(speeds[many], speeds[few])]
    must, reach = (0.9, 0.95) if (few, many) == (1, 8) else (None, None)
    name = f"faces a second and worker, workers: {many}"
    row = Row.of(name, shares, "x", ratio_to=f"{few}", must=must, reach=reach)
    return [row, *(Row.of(f"faces a second, workers: {count}", found, "faces/s") for count, found in speeds.items())]


def _flat(of: str, costs: Rounds, between: tuple[int, int] | None = None) -> list[Row]:
    """The ratio of the costs at the highest and the lowest count, or at those of `between` if they were measured."""
    few, many = between if between and set(between) <= set(costs) else (min(costs), max(costs))
    must, reach = (1.1, 1.02) if (few, many) == between else (None, None)
    times = ratios(costs[many], costs[few])
    name = f"cost of a crop, {of}: {many:,}"
    row = Row.of(name, times, "x", ratio_to=f"{few:,}", must=must, reach=reach, at_most=True)
    return [row, *(Row.of(f"cost of a crop, {of}: {count:,}", found, "us") for count, found in costs.items())]


def _line(rounds: Rounds) -> dict[str, list[tuple[float, float]]]:
    return {"worker and Redis": [(float(max(count, 1)), middle(found)) for count, found in rounds.items()]}


def _speed_lines(speeds: Rounds) -> dict[str, list[tuple[float, float]]]:
    return {
        "measured": [(float(count), middle(found)) for count, found in speeds.items()],
        "the engine's sleep alone": [(float(count), count * THEORY) for count in speeds],
    }


if __name__ == "__main__":
    run_question(ask)
