"""The supervisor restarts processes that die, ends if one rejects its settings, and stops them in reverse order."""

import time
from dataclasses import dataclass, field

import pytest

from contract.errors import EmotiiError
from emotii.local.supervisor import Supervisor


@dataclass
class Recorded:
    """A process that only records its calls."""

    name: str
    log: list[str]
    codes: list[int] = field(default_factory=list)
    running: bool = False
    after: float = 0.0

    def start(self) -> None:
        self.running = True
        self.log.append(f"start {self.name}")

    def exit_code(self) -> int | None:
        if self.running and self.codes:
            self.running = False
            return self.codes.pop(0)
        return None

    def stop(self) -> None:
        self.log.append(f"stop {self.name}")


def test_processes_start_in_order_and_stop_in_reverse_order():
    log: list[str] = []
    with Supervisor([Recorded("redis", log), Recorded("worker", log)]):
        pass
    assert log == ["start redis", "start worker", "stop worker", "stop redis"]


def test_a_delayed_process_starts_after_the_others():
    log: list[str] = []
    deadline = time.monotonic() + 10
    with Supervisor([Recorded("jobs", log, after=0.2), Recorded("capture", log)]) as supervisor:
        supervisor.poll()
        assert log == ["start capture"]
        while "start jobs" not in log and time.monotonic() < deadline:
            supervisor.poll()
    assert log == ["start capture", "start jobs", "stop capture", "stop jobs"]


def test_a_process_that_dies_is_restarted_after_a_pause():
    log: list[str] = []
    deadline = time.monotonic() + 10
    with Supervisor([Recorded("worker", log, codes=[-9])]) as supervisor:
        while log.count("start worker") < 2 and time.monotonic() < deadline:
            supervisor.poll()
    assert log == ["start worker", "start worker", "stop worker"]


def test_a_process_that_rejects_its_settings_ends_the_supervisor():
    log: list[str] = []
    with (
        pytest.raises(EmotiiError, match="capture cannot run with these settings"),
        Supervisor([Recorded("redis", log), Recorded("capture", log, codes=[2])]) as supervisor,
    ):
        supervisor.poll()
    assert log[-2:] == ["stop capture", "stop redis"]


def test_started_processes_are_stopped_if_a_later_start_fails():
    log: list[str] = []

    class Broken(Recorded):
        def start(self) -> None:
            raise EmotiiError("no server")

    with pytest.raises(EmotiiError, match="no server"), Supervisor([Recorded("a", log), Broken("b", log)]):
        pass
    assert "stop a" in log
