"""The inbox into which nobody has handed a picture yet: a thread of the parent, where a process would cost 50 MB."""

from threading import Event, Thread

import redis
import structlog
from redis.exceptions import ResponseError

from capture_service.publishing.registration import Registration
from contract import keys
from contract.errors import BrokerUnavailable
from contract.redis.broker import outages_named
from contract.redis.outage import OutageLog

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.1
LEAVE_SECONDS = 1.0
"""To say so to a Redis that answers."""


class IdleInbox:
    """Holds the source of single pictures, until the first one comes for a process to take over.

    Args:
        client: for commands; used by the waiting thread alone.
    """

    def __init__(self, client: redis.Redis, registration: Registration, outage: OutageLog) -> None:
        self._client = client
        self._registration = registration
        self._outage = outage
        self._asked_for = Event()
        self._thread: Thread | None = None

    def start(self, stop: Event) -> None:
        """Wait for a picture until `stop` is set."""
        self._thread = Thread(target=self._run, args=[stop], name="idle-inbox", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until it is out of the registry, or out of hand, after `stop`."""
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)

    def asked_for(self) -> bool:
        """Whether there was a picture: from then on a process has to capture the source."""
        return self._asked_for.is_set()

    def alive(self) -> bool:
        """Whether it still waits as it should, or does not have to any more."""
        return self.asked_for() or self._registration.alive()

    def _run(self, stop: Event) -> None:
        while not self._has_picture():
            if stop.wait(LOOK_SECONDS):
                self._registration.leave()
                return
        logger.info("the first picture came", source=keys.UPLOADS)
        self._asked_for.set()
        self._registration.hand_over(stop)

    def _has_picture(self) -> bool:
        """Whether a picture is for this service to look at; another one may have the source."""
        if not self._registration.acquire_or_renew():
            return False
        self._registration.change("ONLINE")
        try:
            with outages_named():
                return bool(self._client.xlen(keys.inbox(keys.UPLOADS)))
        except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type
            self._outage.failed(error)
            return False
