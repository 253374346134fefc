"""The erasures that were asked for, as Redis has them, and the part of this process in each.

An erasure is written down before it begins. Every gateway does every erasure once: on what it keeps itself, and on what
all share, where doing it again harms nothing. So one that is killed begins again when it starts, and one that was away
does its part when it is back. An erasure is done when every gateway that is there has done it.
"""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import redis.asyncio
import structlog
from pydantic import BaseModel, ValidationError

from api_gateway.erasure.eraser import CannotErase, Eraser
from api_gateway.history.database import DatabaseUnavailable
from contract import keys
from contract.errors import BrokerUnavailable
from contract.messages import STATUS_TTL_MS
from contract.messages.erasure import Erased, Erasure, Report
from contract.redis.broker import Backoff, outages_named
from contract.redis.clock import RedisClock

logger = structlog.get_logger()
POLL_SECONDS = 0.5
IN_HAND_MS = 2_000
"""An erasure until now takes in what is in memory at the moment in which it is asked for."""
KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a gateway that was away finds what it has to erase."""
Kept = TypeVar("Kept", bound=BaseModel)


@dataclass(frozen=True)
class ErasureStatus:
    """How an erasure stands."""

    erasure: Erasure
    state: Literal["running", "done"]
    erased: Erased
    trouble: str
    """What it waits for, if anything."""


class ErasureCoordinator:
    """What is asked, what is to be done here, and how all of it stands.

    Args:
        client: for commands.
        clock: Redis's.
        eraser: of this process.
    """

    def __init__(self, client: redis.asyncio.Redis, clock: RedisClock, eraser: Eraser) -> None:
        self._client = client
        self._clock = clock
        self._eraser = eraser
        self._name = uuid.uuid4().hex
        self._done: set[str] = set()
        self._began_ms = clock.now_ms()

    async def ask(self, source: str | None, from_ms: int, to_ms: int | None) -> Erasure:
        """Have everything erased that a source saw, by every gateway.

        Args:
            source: its name; None: every source.
            from_ms: from when on, in Redis's time.
            to_ms: until when; None: until now.

        Raises:
            BrokerUnavailable: Redis cannot be reached; nothing will be erased.
        """
        with outages_named():
            seconds, microseconds = await self._client.time()  # the clock's word may be an estimate of seconds ago
            now_ms = seconds * 1000 + microseconds // 1000
            until_ms = now_ms + IN_HAND_MS if to_ms is None else to_ms
            erasure = Erasure(source=source, from_ms=from_ms, to_ms=until_ms, id=uuid.uuid4().hex[:12], asked_ms=now_ms)
            await self._client.hset(keys.ERASURES, erasure.id, erasure.model_dump_json())
        logger.info("erasing asked for", erasure=erasure.id, source=source, from_ms=from_ms, to_ms=until_ms)
        return erasure

    async def all(self) -> list[ErasureStatus]:
        """Every erasure of the last days, the newest first.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            asked, reports, gateways = await self._read()
        found = [_standing(erasure, reports.get(erasure.id, {}), gateways) for erasure in asked]
        return sorted(found, key=lambda one: one.erasure.asked_ms, reverse=True)

    async def look(self) -> None:
        """Do what is to be done here, forget what is long done, and wait a moment.

        Raises:
            BrokerUnavailable: Redis cannot serve.
        """
        asked, reports, _ = await self._read()
        for erasure in asked:
            if self._clock.now_ms() - erasure.asked_ms > KEPT_MS:
                await self._forget(erasure, reports.get(erasure.id, {}))
            elif erasure.id not in self._done:
                by_others = any(report.done for report in reports.get(erasure.id, {}).values())
                # What this process had in mind then, it may have written to Redis after another was done.
                await self.erase(erasure, redis_too=not by_others or erasure.asked_ms >= self._began_ms)
        await asyncio.sleep(POLL_SECONDS)

    async def be_seen(self) -> None:
        """Say that this gateway is there, and wait a moment: erasures are not done without its part.

        Raises:
            BrokerUnavailable: Redis cannot serve.
        """
        now_ms = self._clock.now_ms()
        await self._client.hset(keys.GATEWAYS, self._name, str(now_ms))
        await asyncio.sleep(POLL_SECONDS)

    async def erase(self, erasure: Erasure, *, redis_too: bool = True) -> None:
        """Do the part of this process, however often it takes, and report it."""
        backoff = Backoff(first_seconds=0.5)
        erased = Erased()
        while True:
            try:
                erased = erased.plus(await self._eraser.erase(erasure, redis_too=redis_too))
            except (BrokerUnavailable, DatabaseUnavailable, CannotErase) as error:
                logger.warning("erasing waits", erasure=erasure.id, reason=str(error))
                await self._report(erasure, Report(done=False, trouble=str(error)))
                await asyncio.sleep(backoff.next())
            else:
                break
        await self._report(erasure, Report(done=True, erased=erased))
        self._done.add(erasure.id)
        logger.info("erased", erasure=erasure.id, **erased.model_dump())

    async def leave(self) -> None:
        """This gateway ends; no erasure waits for it. It does what it owes when it is back."""
        await self._client.hdel(keys.GATEWAYS, self._name)

    async def _report(self, erasure: Erasure, report: Report) -> None:
        with outages_named():
            await self._client.hset(keys.ERASED, f"{erasure.id}/{self._name}", report.model_dump_json())

    async def _read(self) -> tuple[list[Erasure], dict[str, dict[str, Report]], set[str]]:
        """The erasures, the reports of each by gateway, and the gateways that are there."""
        pipeline = self._client.pipeline(transaction=False)
        for key in (keys.ERASURES, keys.ERASED, keys.GATEWAYS):
            pipeline.hgetall(key)
        asked, told, seen = cast(list[dict[bytes, bytes]], await pipeline.execute())
        reports: dict[str, dict[str, Report]] = {}
        for field, value in told.items():
            erasure, _, gateway = field.decode(errors="replace").partition("/")
            if report := _parsed(Report, value):
                reports.setdefault(erasure, {})[gateway] = report
        oldest = self._clock.now_ms() - STATUS_TTL_MS
        silent = [name for name, at in seen.items() if not at.isdigit() or int(at) < oldest]
        if silent:
            await self._client.hdel(keys.GATEWAYS, *silent)
        here = {name.decode(errors="replace") for name in seen.keys() - set(silent)}
        return [one for value in asked.values() if (one := _parsed(Erasure, value))], reports, here

    async def _forget(self, erasure: Erasure, reports: dict[str, Report]) -> None:
        await self._client.hdel(keys.ERASURES, erasure.id)
        if reports:
            await self._client.hdel(keys.ERASED, *(f"{erasure.id}/{gateway}" for gateway in reports))


def _standing(erasure: Erasure, reports: dict[str, Report], gateways: set[str]) -> ErasureStatus:
    done = {gateway for gateway, report in reports.items() if report.done}
    troubles = {report.trouble for gateway, report in reports.items() if gateway in gateways and report.trouble}
    erased = Erased()
    for report in reports.values():
        erased = erased.plus(report.erased)
    finished = bool(done) and gateways <= done
    return ErasureStatus(erasure, "done" if finished else "running", erased, "; ".join(sorted(troubles)))


def _parsed(model: type[Kept], value: bytes) -> Kept | None:
    """None for what another release wrote and this one cannot read."""
    try:
        return model.model_validate_json(value)
    except ValidationError:
        return None
