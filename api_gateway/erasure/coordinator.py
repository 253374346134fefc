"""The requested erasures, as Redis has them, and the part of this process in each.

An erasure is written to Redis before it begins. Every gateway does its part of every erasure once: on what it keeps
itself, and on what all gateways share, where a repetition does no harm. So a gateway that is killed begins again when
it starts, and one that was stopped does its part when it is back. An erasure is done when every running gateway has
reported its part.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import redis.asyncio
import structlog

from api_gateway.erasure.eraser import CannotErase, Eraser
from api_gateway.history.database import DatabaseUnavailable
from contract import keys
from contract.errors import BrokerUnavailable, reason_of
from contract.messages import STATUS_TTL_MS
from contract.messages.erasure import Erased, Erasure, ErasureScope, Report
from contract.redis.broker import Backoff, is_wrong_type, outages_named
from contract.redis.clock import RedisClock
from contract.redis.heartbeats import Heartbeats
from contract.redis.stored import StoredHash, integer

logger = structlog.get_logger()
IN_MEMORY_MS = 2_000
"""An erasure until now includes what is in memory at the moment of the request."""
KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a gateway that was stopped finds the erasures of which it owes its part."""
NO_GATEWAYS = f"redis: {keys.GATEWAYS} is no hash, so nobody knows which gateways run; delete that key"


class DiscardsLiveState(Protocol):
    """What a process holds in memory, from where it could be published or stored after an erasure."""

    async def discard(self, scope: ErasureScope) -> None:
        """From now on nothing of this scope is published or stored; what is held of it is discarded."""

    def settle(self, scope: ErasureScope) -> None:
        """The erasure of this scope is done."""

    def prune(self) -> None:
        """Drop the scopes of which nothing can arrive any more."""


@dataclass(frozen=True)
class ErasureStatus:
    """The state of an erasure over all gateways."""

    erasure: Erasure
    state: Literal["running", "done"]
    erased: Erased
    trouble: str
    """What it waits for; empty if for nothing."""


@dataclass
class _Part:
    """The part of this process in an erasure."""

    erasure: Erasure
    """As it was requested: Redis may lose it."""
    report: Report | None = None
    """The last one."""
    discarded: bool = False
    """Whether the live state was discarded: once, so that what comes later is not lost by a retry."""
    done: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(first_seconds=0.5))
    due: float = 0.0
    """When the next attempt may begin, of `time.monotonic()`."""


class ErasureCoordinator:
    """Requests erasures, does the part of this process in each, and reports the state of all.

    Args:
        client: for commands.
        clock: Redis's.
        eraser: erases what is stored.
        live_state: what this process holds in memory.
        on_restored: called with what was written back, and the ids, after Redis had lost it.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: RedisClock,
        eraser: Eraser,
        live_state: DiscardsLiveState,
        on_restored: Callable[..., None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._eraser = eraser
        self._live_state = live_state
        self._erasures = StoredHash(keys.ERASURES, Erasure, named_by="id")
        self._reports = StoredHash(keys.ERASED, Report)
        self._ages = Heartbeats()
        self._name = uuid.uuid4().hex
        self._parts: dict[str, _Part] = {}
        """By the erasure's id."""
        self._began_ms = clock.now_ms()
        self._on_restored = on_restored
        self._heartbeats: dict[bytes, int] = {}
        """Of all gateways, the last ones that this process has seen."""
        self._registered = False
        """Whether Redis has a heartbeat of this process, unless it has lost it."""

    async def request(self, source: str | None, from_ms: int, to_ms: int | None) -> Erasure:
        """Request that every gateway erases what a source saw.

        Args:
            source: its name; None: every source.
            from_ms: from when on, in Redis's time.
            to_ms: until when; None: until now.

        Raises:
            BrokerUnavailable: Redis is unreachable; nothing will be erased.
        """
        with outages_named():
            seconds, microseconds = await self._client.time()  # the clock's estimate may be some seconds old
            now_ms = seconds * 1000 + microseconds // 1000
            until_ms = now_ms + IN_MEMORY_MS if to_ms is None else to_ms
            erasure = Erasure(source=source, from_ms=from_ms, to_ms=until_ms, id=uuid.uuid4().hex[:12], asked_ms=now_ms)
            await self._client.hset(keys.ERASURES, erasure.id, erasure.model_dump_json())
            self._parts[erasure.id] = _Part(erasure)
        logger.info("erasure requested", erasure=erasure.id, source=source, from_ms=from_ms, to_ms=until_ms)
        return erasure

    async def all(self) -> list[ErasureStatus]:
        """Every erasure of the last days, the newest first.

        Raises:
            BrokerUnavailable: Redis is unreachable.
        """
        with outages_named():
            requested, reports, gateways = await self._read()
        found = [_status(erasure, reports.get(erasure.id, {}), gateways) for erasure in requested]
        return sorted(found, key=lambda one: one.erasure.asked_ms, reverse=True)

    async def poll(self) -> None:
        """Attempt what this process owes and is due, and forget old erasures.

        Raises:
            BrokerUnavailable, redis.RedisError: Redis is unavailable.
        """
        self._live_state.prune()
        requested, reports, _ = await self._read()
        await self._restore_lost({erasure.id for erasure in requested})
        for erasure in requested:
            part = self._parts.setdefault(erasure.id, _Part(erasure))
            if self._clock.now_ms() - erasure.asked_ms > KEPT_MS:
                await self._forget(erasure, reports.get(erasure.id, {}))
            elif not part.done and time.monotonic() >= part.due:
                by_others = any(report.done for report in reports.get(erasure.id, {}).values())
                # What this process held then it may have written to Redis after another gateway was done.
                await self.attempt(erasure, redis_too=not by_others or erasure.asked_ms >= self._began_ms)
        oldest_ms = self._clock.now_ms() - KEPT_MS
        self._parts = {name: part for name, part in self._parts.items() if part.erasure.asked_ms >= oldest_ms}

    async def send_heartbeat(self) -> None:
        """Report that this gateway runs: erasures are not done without its part.

        Raises:
            redis.RedisError: Redis is unavailable.
        """
        await self._client.hset(keys.GATEWAYS, self._name, str(self._clock.now_ms()))
        self._registered = True

    async def attempt(self, erasure: Erasure, *, redis_too: bool = True) -> bool:
        """Attempt the part of this process once, and report the result; returns whether it is done.

        Raises:
            BrokerUnavailable: the result cannot be reported.
        """
        part = self._parts.setdefault(erasure.id, _Part(erasure))
        if not part.discarded:
            await self._live_state.discard(erasure)
            part.discarded = True
        try:
            erased = await self._eraser.erase(erasure, redis_too=redis_too)
        except (BrokerUnavailable, DatabaseUnavailable, CannotErase) as error:
            part.due = time.monotonic() + part.backoff.next()
            logger.warning("erasure waits", erasure=erasure.id, reason=reason_of(error))
            await self._report(erasure, Report(done=False, trouble=reason_of(error)))
            return False
        await self._report(erasure, Report(done=True, erased=erased))
        part.done = True
        self._live_state.settle(erasure)
        logger.info("erased", erasure=erasure.id, **erased.model_dump())
        return True

    async def finish(self, erasure: Erasure) -> None:
        """Attempt the part of this process until it is done.

        Raises:
            BrokerUnavailable: the result cannot be reported.
        """
        while True:
            if await self.attempt(erasure):
                return
            await asyncio.sleep(self._parts[erasure.id].due - time.monotonic())

    async def deregister(self) -> None:
        """This gateway ends, and no erasure waits for it. It does what it owes when it starts again.

        Raises:
            redis.RedisError: Redis is unavailable.
        """
        self._registered = False
        await self._client.hdel(keys.GATEWAYS, self._name)

    async def _restore_lost(self, requested: set[str]) -> None:
        """Write back erasures that Redis has lost: what they name may still be on the disk of another gateway."""
        if not self._erasures.whole:
            return  # a key of another type, which nobody can write to
        restored = []
        for part in self._parts.values():
            erasure = part.erasure
            if erasure.id in requested or self._clock.now_ms() - erasure.asked_ms > KEPT_MS:
                continue
            if await self._client.hsetnx(keys.ERASURES, erasure.id, erasure.model_dump_json()):
                restored.append(erasure.id)
            if part.report is not None:
                await self._report(erasure, part.report)
        if restored:
            self._on_restored("erasures", erasures=restored)

    async def _report(self, erasure: Erasure, report: Report) -> None:
        if (part := self._parts.get(erasure.id)) is not None:
            part.report = report
        with outages_named():
            await self._client.hset(keys.ERASED, f"{erasure.id}/{self._name}", report.model_dump_json())

    async def _read(self) -> tuple[list[Erasure], dict[str, dict[str, Report]], set[str] | None]:
        """The erasures, the reports of each by gateway, and the running gateways; None if these are not known."""
        pipeline = self._client.pipeline(transaction=False)
        for key in (keys.ERASURES, keys.ERASED, keys.GATEWAYS):
            pipeline.hgetall(key)
        requested, reported, seen = await pipeline.execute(raise_on_error=False)
        reports: dict[str, dict[str, Report]] = {}
        for name, report in self._reports.parse(reported).items():
            erasure, _, gateway = name.partition("/")
            reports.setdefault(erasure, {})[gateway] = report
        return [*self._erasures.parse(requested).values()], reports, await self._running(seen)

    async def _running(self, seen: Any) -> set[str] | None:  # noqa: ANN401 - a reply of Redis
        """The running gateways by the heartbeats; the others are removed. None if the key is no hash."""
        if isinstance(seen, Exception):
            if not is_wrong_type(seen):
                raise seen
            return None
        heartbeats = {name: integer(at) or 0 for name, at in seen.items()}
        if self._registered and self._name.encode() not in seen:
            heartbeats = self._heartbeats | heartbeats  # Redis lost them all; the others still have to do their part
        self._heartbeats = heartbeats
        stated = {name.decode(errors="replace"): at_ms for name, at_ms in heartbeats.items()}
        self._ages.hear([*stated.items()])
        now_ms = self._clock.now_ms()
        running = {name for name, at_ms in stated.items() if self._ages.age_ms(name, at_ms, now_ms) <= STATUS_TTL_MS}
        if silent := [name for name in seen if name.decode(errors="replace") not in running]:
            await self._client.hdel(keys.GATEWAYS, *silent)
        return running

    async def _forget(self, erasure: Erasure, reports: dict[str, Report]) -> None:
        if (part := self._parts.get(erasure.id)) and part.discarded:
            self._live_state.settle(erasure)
        await self._client.hdel(keys.ERASURES, erasure.id)
        if reports:
            await self._client.hdel(keys.ERASED, *(f"{erasure.id}/{gateway}" for gateway in reports))


def _status(erasure: Erasure, reports: dict[str, Report], gateways: set[str] | None) -> ErasureStatus:
    done = {gateway for gateway, report in reports.items() if report.done}
    running = reports.keys() if gateways is None else gateways
    troubles = {report.trouble for gateway, report in reports.items() if gateway in running and report.trouble}
    if gateways is None:
        troubles.add(NO_GATEWAYS)
    erased = Erased()
    for report in reports.values():
        erased = erased.plus(report.erased)
    finished = bool(done) and gateways is not None and gateways <= done
    return ErasureStatus(erasure, "done" if finished else "running", erased, "; ".join(sorted(troubles)))
