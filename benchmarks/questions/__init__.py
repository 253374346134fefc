"""The questions, in the order in which docs/performance.md answers them. Each is a module with `ask(size, console)`."""

QUESTIONS = (
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
