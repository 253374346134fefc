"""The table at the end of `make test-faults`: each row of docs/promises.md, on both servers, with crops and seconds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

SERVERS = ("valkey-server", "redis-server")


@dataclass
class Shown:
    """One row on one server."""

    tests: int = 0
    failed: int = 0
    crops: int = 0
    seconds: float = 0.0
    figures: list[str] = field(default_factory=list)
    """What tests measured, one line each."""

    def add(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.tests += 1
        self.failed += report.failed
        self.seconds += report.duration
        if report.when == "teardown":  # the properties of a test are complete only here
            properties = dict(report.user_properties)
            self.crops += int(properties.get("crops", 0))
            self.figures += (
                [f"{report.nodeid.rpartition('::')[2]}: {properties['figures']}"] if "figures" in properties else []
            )

    def __str__(self) -> str:
        if not self.tests:
            return "not run"
        said = "ok" if not self.failed else f"{self.failed} FAILED"
        return f"{self.tests} tests {said}, {self.crops} crops, {self.seconds:.0f} s"


def lines(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """The table; nothing if no test of a row ran."""
    shown: defaultdict[int, defaultdict[str, Shown]] = defaultdict(lambda: defaultdict(Shown))
    for report in reports:
        properties = dict(report.user_properties)
        if "row" in properties:
            shown[properties["row"]][properties["server"]].add(report)
    if shown:
        yield f"{'row':>3}  {SERVERS[0]:<40}{SERVERS[1]}"
    for row, by_server in sorted(shown.items()):
        yield f"{row:>3}  " + "".join(f"{by_server[server]!s:<40}" for server in SERVERS).rstrip()
        yield from (f"     {one}" for server in SERVERS for one in by_server[server].figures)
