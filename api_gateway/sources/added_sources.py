"""The sources that users added, as Redis holds them now; what Redis has lost is written back."""

import asyncio
from collections.abc import Callable
from typing import cast

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from api_gateway.sources.errors import BrowserSource, ConfiguredSource, NameTaken, TooManySources, UnknownSource
from api_gateway.sources.registry import Registry
from contract import keys
from contract.added_sources import ADD, PUT, REMOVE, RESTORE, REVISION, KnownSources, Restoration
from contract.messages import AddedSource
from contract.redis.broker import outages_named
from contract.redis.stored import StoredHash

logger = structlog.get_logger()


class AddedSources:
    """Sources to capture besides those in the configuration of the capture service.

    Args:
        client: for commands.
        registry: knows the sources of the configuration.
        most: limit on added sources, browsers' cameras included; each is a process of the capture service.
        on_restored: called with what was written back, and the names, after Redis had lost it.
    """

    def __init__(
        self, client: redis.asyncio.Redis, registry: Registry, most: int, on_restored: Callable[..., None]
    ) -> None:
        self._client = client
        self._registry = registry
        self._most = most
        self._on_restored = on_restored
        self._known = KnownSources()
        self._stored = StoredHash(keys.ADDED_SOURCES, AddedSource, named_by="name")
        self.sources: dict[str, AddedSource] = {}
        self._adding = asyncio.Lock()
        """Held from the check of the limit until the source is stored, or two of them could both pass the check."""

    async def add(self, source: AddedSource) -> None:
        """Capture a source from now on, also after restarts.

        Raises:
            NameTaken: another source has the name.
            TooManySources: the limit is reached.
            BrokerUnavailable: Redis cannot be reached.
        """
        async with self._adding:
            with outages_named():
                await self.poll()
                self._check_free(source.name)
                self._check_room()
                value = source.model_dump_json()
                if not await self._run(ADD, source.name, value):
                    raise _taken(source.name)
                self._known.changed(source.name, value)
                self.sources[source.name] = source
        logger.info("source added", source=source.name)

    async def remove(self, name: str) -> None:
        """Stop capturing a source.

        Raises:
            UnknownSource: there is none of this name.
            BrowserSource: a browser sends it.
            ConfiguredSource: the configuration names it.
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            await self.poll()
            source = self.sources.get(name)
            known = source is not None or name in self._stored.ignored
            if not known and (status := self._registry.source(name)) and not status.added:
                raise ConfiguredSource(
                    f"{name!r} was not added here: take it out of EMOTII_SOURCES or EMOTII_SOURCES_FILE and start the"
                    " capture service again",
                )
            if source is not None and source.camera:
                raise BrowserSource(f"a browser sends {name!r}; it ends when that page is closed")
            if not await self._run(REMOVE, name):
                raise UnknownSource(f"{name!r} has just been removed")
            self._known.changed(name, None)
            self.sources.pop(name, None)
        logger.info("source removed", source=name)

    async def admit_browser(self, source: AddedSource) -> None:
        """As `add`, for a browser that holds the lease of its name; an earlier browser may have left the name here.

        Raises:
            NameTaken: the name belongs to another kind of source.
            TooManySources: the limit is reached.
            BrokerUnavailable: Redis cannot be reached.
        """
        async with self._adding:
            with outages_named():
                await self.poll()
                known = self.sources.get(source.name)
                if known is None:
                    self._check_free(source.name)
                    self._check_room()
                elif not known.camera:
                    raise _taken(source.name)
                await self._run(PUT, source.name, (known or source).model_dump_json())
                self.sources[source.name] = known or source

    def _check_free(self, name: str) -> None:
        taken = any(status.name == name and not status.added for status in self._registry.sources())
        if taken or name in self.sources:
            raise _taken(name)

    def _check_room(self) -> None:
        if len(self.sources) >= self._most:
            raise TooManySources(f"{self._most} sources may be added (EMOTII_ADDED_SOURCES); remove one first")

    async def poll(self) -> None:
        """Read them, and write back what Redis has lost."""
        try:
            stored = cast(dict[bytes, bytes], await self._client.hgetall(keys.ADDED_SOURCES))
        except ResponseError as error:
            self._stored.parse(error)  # raises every other error than that of a key of another type
            return  # nobody has removed the sources
        if restoration := self._known.follow(stored):
            await self._restore(restoration)
        found = self._stored.parse(self._known.sources)
        if self._stored.whole:
            self.sources = found

    async def _restore(self, restoration: Restoration) -> None:
        if await self._run(RESTORE, *restoration.arguments) and (restoration.lost or restoration.removed):
            removed = [name.decode(errors="replace") for name in restoration.removed]
            self._on_restored("added sources", sources=restoration.lost, removed_again=removed)

    async def _run(self, script: str, *arguments: str | bytes | int) -> bool:
        return bool(await self._client.eval(script, 1, keys.ADDED_SOURCES, REVISION, *arguments))


def _taken(name: str) -> NameTaken:
    return NameTaken(f"there is a source {name!r} already; choose another name")
