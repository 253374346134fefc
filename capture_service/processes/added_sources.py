"""The sources that people add while the service runs, polled on a thread of its own, since Redis may be slow."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import cast

import redis
import structlog
from redis.exceptions import ResponseError

from capture_service.sources.options import Options
from capture_service.sources.spec import SourceSpec, parse
from contract import keys
from contract.added_sources import REMOVE, RESTORE, REVISION, KnownSources
from contract.address import added_kind
from contract.errors import BrokerUnavailable, SourceError, reason_of
from contract.messages import AddedSource
from contract.redis.broker import outages_named
from contract.redis.outage import OutageLog
from contract.redis.stored import StoredHash

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
LINGER_SECONDS = 20.0
"""How long the source of a browser that left is kept, so that the browser finds it ready after a reload."""

GATEWAYS_SECONDS = 2.0
"""By then a gateway has written back what Redis lost; it also reports that on the page."""
READERS_SECONDS = 4.0
"""By then workers and gateways have seen that a source left the registry."""


class AddedSources:
    """The sources of `keys.ADDED_SOURCES`, as Redis returned them last.

    Args:
        client: for commands; used by the polling thread alone.
        linger: seconds for which a browser's source is kept after the browser has left.
    """

    def __init__(self, client: redis.Redis, linger: float = LINGER_SECONDS) -> None:
        self._client = client
        self._linger = linger
        self._outage = OutageLog()
        self._stored = StoredHash(keys.ADDED_SOURCES, AddedSource, named_by="name")
        self._specs: dict[AddedSource, SourceSpec | None] = {}
        """By the stored source; None for a source that cannot be captured, which is logged once."""
        self._left: dict[str, float] = {}
        """Since when no browser sends this source, by the monotonic clock."""
        self._ended: set[str] = set()
        self._unregistered: dict[str, float] = {}
        """Since when a source is out of the registry while its streams still exist."""
        self._sources: tuple[SourceSpec, ...] = ()
        self._known = KnownSources()
        self._lost_since: float | None = None
        """Since when Redis lacks what this process knows, by the monotonic clock."""

    def start(self, stop: Event) -> None:
        """Poll until `stop` is set."""
        Thread(target=self._run, args=[stop], name="added-sources", daemon=True).start()

    def sources(self) -> tuple[SourceSpec, ...]:
        """The sources to capture beside the configured ones."""
        return self._sources

    def source_ended(self, name: str) -> None:
        """No process captures this source any more: the next poll unregisters it, unless it was added again."""
        self._ended.add(name)

    def poll(self) -> None:
        """Update `sources`, and remove sources that ended from Redis.

        Raises:
            BrokerUnavailable: Redis cannot be reached; nothing changes.
        """
        with outages_named():
            try:
                self._follow(cast(dict[bytes, bytes], self._client.hgetall(keys.ADDED_SOURCES)))
            except ResponseError as error:
                self._stored.parse(error)  # raises every other error than that of a key of another type
                return  # nobody has removed the sources that are captured
            stored = self._stored.parse(self._known.sources)
            if not self._stored.whole:
                return
            before = self._specs
            self._specs = {one: before[one] if one in before else _spec(one) for one in stored.values()}
            specs = [spec for spec in self._specs.values() if spec is not None]
            self._sources = tuple(spec for spec in specs if spec.kind != "browser" or self._is_sent(spec.name))
            self._unregister_ended({spec.name for spec in specs})

    def _follow(self, stored: dict[bytes, bytes]) -> None:
        """Take over what Redis holds. If Redis has lost sources, they stay, and are written back if no gateway does."""
        restoration = self._known.follow(stored)
        if restoration is None or not (restoration.lost or restoration.removed):
            self._lost_since = None
            return
        if self._lost_since is None:
            self._lost_since = time.monotonic()
        if time.monotonic() - self._lost_since > GATEWAYS_SECONDS and self._client.eval(
            RESTORE, 1, keys.ADDED_SOURCES, REVISION, *restoration.arguments
        ):
            logger.warning("restored, redis had lost it", what="added sources", sources=restoration.lost)

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.poll()
            except BrokerUnavailable as error:
                self._outage.failed(error)
            else:
                self._outage.recovered()
            stop.wait(POLL_SECONDS)

    def _is_sent(self, name: str) -> bool:
        """Whether a browser sends this source, or did so a moment ago; otherwise the source is removed."""
        if self._client.exists(keys.lease(keys.camera(name))):
            self._left.pop(name, None)
            return True
        if time.monotonic() - self._left.setdefault(name, time.monotonic()) < self._linger:
            return True
        # A browser that comes back at this very moment adds its source again within a second.
        self._client.eval(REMOVE, 1, keys.ADDED_SOURCES, REVISION, name)
        self._left.pop(name)
        return False

    def _unregister_ended(self, added: set[str]) -> None:
        """Remove ended sources from the registry, and delete their streams when no reader can use them any more."""
        now = time.monotonic()
        for name in tuple(self._ended):
            if name not in added:
                self._client.hdel(keys.SOURCES, name)
                self._unregistered[name] = now
            self._ended.remove(name)
        for name, since in tuple(self._unregistered.items()):
            if name in added:
                del self._unregistered[name]
            elif now - since > READERS_SECONDS:
                self._client.delete(*keys.of_camera(name))
                del self._unregistered[name]


def _spec(source: AddedSource) -> SourceSpec | None:
    try:
        return replace(_parsed(source), added=True)
    except SourceError as error:
        logger.warning("an added source cannot be captured", source=source.name, reason=reason_of(error))
        return None


def _parsed(source: AddedSource) -> SourceSpec:
    if source.camera == "browser":
        return SourceSpec(keys.source_name(source.name), "browser", "", fps=source.fps, detector=source.detector)
    options = Options(loop=source.loop, fps=source.fps, detector=source.detector)
    kind = added_kind(source.name, source.address)
    try:
        return parse(source.name, source.address, options)
    except SourceError:
        if kind != "path":
            raise
        # The file may appear later, on a disk that is still to be mounted; until then the source is offline.
        path = str(Path(source.address))
        return SourceSpec(source.name, "file", path, source.loop, source.fps, source.detector)
