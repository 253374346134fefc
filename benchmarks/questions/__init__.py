"""The questions, in the order of docs/performance.md. Each is a module with `ask(size, console)`."""

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
