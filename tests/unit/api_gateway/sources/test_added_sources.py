"""Adding sources: the limit holds however many are added at the same time."""

import asyncio

import pytest

from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.errors import TooManySources
from contract.added_sources import ADD, PUT
from contract.messages import AddedSource


class Redis:
    """A hash, each command of which takes a turn of the event loop."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}

    async def hgetall(self, _key: str) -> dict[bytes, bytes]:
        found = dict(self.stored)
        await asyncio.sleep(0)
        return found

    async def eval(self, script: str, _keys: int, _key: str, revision: bytes, *arguments: str) -> int:
        await asyncio.sleep(0)
        if script in {ADD, PUT}:
            name, value = arguments
            if script == ADD and name.encode() in self.stored:
                return 0
            self.stored |= {name.encode(): value.encode(), revision: b"1"}
        return 1


class NoSources:
    """A registry without sources."""

    def sources(self) -> list[object]:
        return []


def camera(name: str) -> AddedSource:
    return AddedSource(name=name, address="", camera="browser", added_ms=1)


@pytest.mark.parametrize("method", ["add", "admit_browser"])
def test_of_sources_that_are_added_at_the_same_time_only_as_many_as_allowed_are(method: str):
    async def scene() -> list[BaseException | None]:
        adding = [getattr(added, method)(camera(f"tab-{number}")) for number in range(5)]
        return await asyncio.gather(*adding, return_exceptions=True)

    redis = Redis()
    added = AddedSources(redis, NoSources(), 2, lambda *_, **__: None)
    results = asyncio.run(scene())
    assert [type(result) for result in results] == [type(None)] * 2 + [TooManySources] * 3
    assert len(redis.stored) - 1 == len(added.sources) == 2  # and the revision
