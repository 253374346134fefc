import asyncio
import time
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from api_gateway import polling
from api_gateway.polling import NO_PAUSE, PollingSupervisor, every

BRIEFLY = timedelta(milliseconds=50)


class EndedError(Exception):
    """Ends a loop that has no end of its own."""


def polls(*results: BaseException | None):
    """A poll that returns or raises these, and then ends the loop; with the times of its calls."""
    times, left = [], list(results)

    async def poll() -> None:
        times.append(time.monotonic())
        if not left:
            raise EndedError
        if (result := left.pop(0)) is not None:
            raise result

    return poll, times


def test_a_poll_is_called_again_after_each_pause():
    poll, times = polls(None, None)
    began = time.monotonic()
    with pytest.raises(EndedError):
        asyncio.run(every(BRIEFLY, poll))
    assert len(times) == 3
    assert all(after - before >= 0.05 for before, after in zip([began, *times], times, strict=False))


def test_a_poll_that_needs_redis_begins_at_once_and_goes_on_after_an_outage():
    poll, times = polls(RedisConnectionError("away"), RedisConnectionError("away"), None)
    with pytest.raises(EndedError):
        asyncio.run(PollingSupervisor().every(NO_PAUSE, "part", poll))
    assert len(times) == 4
    assert times[2] - times[0] >= 0.1  # the pauses of the backoff


def test_an_outage_of_several_parts_is_logged_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(polling, "LONGEST_PAUSE_SECONDS", 0.1)
    supervisor = PollingSupervisor()
    parts = [polls(RedisConnectionError("away"), None)[0] for _ in range(3)]

    async def all_parts() -> None:
        every_part = (supervisor.every(NO_PAUSE, f"part {n}", poll) for n, poll in enumerate(parts))
        await asyncio.gather(*every_part, return_exceptions=True)

    asyncio.run(all_parts())
    lines = capsys.readouterr().out
    assert lines.count("redis unavailable, retrying") == 1
    assert lines.count("redis available again") == 1


def test_another_error_propagates():
    poll, times = polls(ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        asyncio.run(PollingSupervisor().every(NO_PAUSE, "part", poll))
    assert len(times) == 1
