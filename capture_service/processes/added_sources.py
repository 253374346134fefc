"""The sources that people add while the service runs, watched on a thread of its own: Redis may keep one waiting."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import cast

import redis
import structlog
from pydantic import ValidationError
from redis.exceptions import ResponseError

from capture_service.sources.options import Options
from capture_service.sources.spec import SourceSpec, parse
from contract import keys
from contract.address import added_kind
from contract.errors import BrokerUnavailable, SourceError
from contract.messages import AddedSource
from contract.redis.broker import outages_named
from contract.redis.outage import OutageLog

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
LINGER_SECONDS = 20.0
"""A browser that left may come back for so long, by a reload maybe, and finds its source ready."""

READERS_SECONDS = 4.0
"""By then workers and gateways have seen that a source left the registry."""


class AddedSources:
    """What `keys.ADDED_SOURCES` asks for, as it was when Redis was heard of last.

    Args:
        client: for commands; used by the watching thread alone.
        linger: seconds for which a browser's source is kept when the browser has left.
    """

    def __init__(self, client: redis.Redis, linger: float = LINGER_SECONDS) -> None:
        self._client = client
        self._linger = linger
        self._outage = OutageLog()
        self._specs: dict[bytes, SourceSpec | None] = {}
        """By the stored value; None for what cannot be captured, which is told once."""
        self._left: dict[str, float] = {}
        """Since when no browser sends this source, by the monotonic clock."""
        self._ended: set[str] = set()
        self._forgotten: dict[str, float] = {}
        """Since when a source is out of the registry, whose streams are still there."""
        self._wanted: tuple[SourceSpec, ...] = ()

    def start(self, stop: Event) -> None:
        """Watch until `stop` is set."""
        Thread(target=self._run, args=[stop], name="desired", daemon=True).start()

    def wanted(self) -> tuple[SourceSpec, ...]:
        """The sources to be captured beside the configured ones."""
        return self._wanted

    def ended(self, name: str) -> None:
        """Nothing here captures this source any more: forget it, unless it is wanted again."""
        self._ended.add(name)

    def look(self) -> None:
        """Bring `wanted` up to date and take what ended out of Redis.

        Raises:
            BrokerUnavailable: Redis cannot be reached; all stays as it was.
            redis.exceptions.ResponseError: what stands in place of the list is something else.
        """
        with outages_named():
            stored = cast(dict[bytes, bytes], self._client.hgetall(keys.ADDED_SOURCES))
            before = self._specs
            self._specs = {
                value: before[value] if value in before else _spec(name, value) for name, value in stored.items()
            }
            specs = [spec for spec in self._specs.values() if spec is not None]
            self._wanted = tuple(spec for spec in specs if spec.kind != "browser" or self._is_sent(spec.name))
            self._forget({spec.name for spec in specs})

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.look()
            except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type
                self._outage.failed(error)
            else:
                self._outage.recovered()
            stop.wait(LOOK_SECONDS)

    def _is_sent(self, name: str) -> bool:
        """Whether a browser sends it, or did so a moment ago; else nobody wants it any more."""
        if self._client.exists(keys.lease(keys.camera(name))):
            self._left.pop(name, None)
            return True
        if time.monotonic() - self._left.setdefault(name, time.monotonic()) < self._linger:
            return True
        # A browser that comes back at this very moment says once a second that it is there.
        self._client.hdel(keys.ADDED_SOURCES, name)
        self._left.pop(name)
        return False

    def _forget(self, wanted: set[str]) -> None:
        """Take what ended out of the registry, and delete its streams when nobody can be reading them any more."""
        now = time.monotonic()
        for name in tuple(self._ended):
            if name not in wanted:
                self._client.hdel(keys.SOURCES, name)
                self._forgotten[name] = now
            self._ended.remove(name)
        for name, since in tuple(self._forgotten.items()):
            if name in wanted:
                del self._forgotten[name]
            elif now - since > READERS_SECONDS:
                self._client.delete(*keys.of_camera(name))
                del self._forgotten[name]


def _spec(name: bytes, value: bytes) -> SourceSpec | None:
    try:
        desired = AddedSource.model_validate_json(value)
        if desired.name.encode() != name:
            raise SourceError("its name is another one")
        return replace(_parsed(desired), added=True)
    except (ValidationError, SourceError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        logger.warning("a desired source cannot be captured", source=name.decode(errors="replace"), reason=reason)
        return None


def _parsed(desired: AddedSource) -> SourceSpec:
    if desired.camera == "browser":
        return SourceSpec(keys.source_name(desired.name), "browser", "", fps=desired.fps, detector=desired.detector)
    options = Options(loop=desired.loop, fps=desired.fps, detector=desired.detector)
    kind = added_kind(desired.name, desired.address)
    try:
        return parse(desired.name, desired.address, options)
    except SourceError:
        if kind != "path":
            raise
        # It may come later, on a disk that is still to be mounted; until then the source is offline and says why.
        path = str(Path(desired.address))
        return SourceSpec(desired.name, "file", path, desired.loop, desired.fps, desired.detector)
