"""The questions, in the order in which docs/performance.md answers them. Each is a module with `ask(size, console)`."""

from importlib.util import find_spec

QUESTIONS = tuple(
    name
    for name in (
        "engine",
        "pipeline",
        "baseline",
        "peer",
        "latency",
        "cameras",
        "fan_out",
        "growth",
        "startup",
        "memory",
    )
    if find_spec(f"benchmarks.{name}")
)
