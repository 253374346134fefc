import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from api_gateway.leader_election import LeaderElection


class Lease:
    """A lease whose next answers a test decides."""

    def __init__(self) -> None:
        self.answers: list[bool | BaseException] = []
        self.released = 0

    async def acquire_or_renew(self) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def release(self) -> None:
        self.released += 1


def test_the_leader_is_who_has_the_lease():
    lease = Lease()
    lease.answers = [False, True, True, False]
    election = LeaderElection(lease, "a task")

    async def campaigns() -> list[bool]:
        return [await election.campaign() for _ in range(4)]

    assert asyncio.run(campaigns()) == [False, True, True, False]
    assert not election.is_leader


def test_who_is_no_candidate_does_not_ask_for_the_lease():
    election = LeaderElection(Lease(), "a task")
    assert not asyncio.run(election.campaign(candidate=False))


def test_nobody_leads_during_an_outage():
    lease = Lease()
    lease.answers = [True, RedisConnectionError("away")]
    election = LeaderElection(lease, "a task")
    assert asyncio.run(election.campaign())
    with pytest.raises(RedisConnectionError):
        asyncio.run(election.campaign())
    assert not election.is_leader


def test_a_leader_that_is_cancelled_releases_the_lease_when_it_resigns():
    lease = Lease()
    lease.answers = [True, asyncio.CancelledError()]
    election = LeaderElection(lease, "a task")
    assert asyncio.run(election.campaign())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(election.campaign())
    asyncio.run(election.resign())
    asyncio.run(election.resign())
    assert lease.released == 1
    assert not election.is_leader
