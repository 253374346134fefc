"""The heartbeat of a job: keeps it in the registry, and its keys in Redis, while it is sent and read."""

from collections.abc import Callable
from threading import Event, Thread

import redis
import structlog

from contract import keys
from contract.errors import BrokerUnavailable, reason_of
from contract.messages import SourceStatus
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
LAST = 1000
"""A job's place in the list of sources: behind every camera."""


LEAVING_SECONDS = 5
"""By then workers have finished their batches, and seen that the job left the registry."""


def leave(client: redis.Redis, source: str) -> None:
    """Remove a job from the registry and empty its streams. It may be called again.

    The keys expire some seconds later: workers may still wait on the crops stream, and commit their batches.

    Raises:
        BrokerUnavailable: Redis cannot be reached; the keys expire later.
    """
    with outages_named():
        client.hdel(keys.SOURCES, source)
        client.xtrim(keys.crops(source), maxlen=0, approximate=False)
        for key in keys.of_job(source):
            client.expire(key, LEAVING_SECONDS)


class Heartbeat:
    """Publishes the status of a job once a second, on a thread of its own, since sending may wait for long."""

    def __init__(
        self, client: redis.Redis, clock: RedisClock, source: str, address: str, frames: Callable[[], int]
    ) -> None:
        self._client = client
        self._clock = clock
        self._frames = frames
        now_ms = clock.now_ms()
        self._status = SourceStatus(
            name=source, kind="job", order=LAST, address=address, state="ONLINE", since_ms=now_ms, seen_ms=now_ms
        )
        self._stop = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the heartbeat, so that the job can leave."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with outages_named():
                    self._clock.refresh(self._client)
                    update = {"seen_ms": self._clock.now_ms(), "frames": self._frames()}
                    status = self._status.model_copy(update=update)
                    self._send(status)
            except BrokerUnavailable as error:
                logger.debug("no heartbeat", error=reason_of(error))  # the producer logs the outage
            self._stop.wait(EVERY_SECONDS)

    def _send(self, status: SourceStatus) -> None:
        pipeline = self._client.pipeline(transaction=False)
        # All commands are sent, even where Redis is out of memory and refuses the status.
        for key in keys.of_job(status.name):
            pipeline.expire(key, keys.JOB_KEYS_SECONDS)
        pipeline.hset(keys.SOURCES, status.name, status.model_dump_json())
        pipeline.execute()
