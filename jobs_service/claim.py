"""The claim to a job: of several jobs services, one runs it."""

from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog

from contract.errors import BrokerUnavailable, EmotiiError, reason_of
from contract.redis.broker import Clients, outages_named
from contract.redis.lease import Lease

logger = structlog.get_logger(__name__)

RENEW_SECONDS = 1.5


class ClaimLost(EmotiiError):  # noqa: N818 - what happened
    """Another jobs service has claimed the job, because this one did not renew its claim in time."""


class Claim:
    """The right to run a job. A context manager that renews it on a thread of its own: drawing may take long.

    Args:
        clients: of Redis.
        job_id: of the job.
    """

    def __init__(self, clients: Clients, job_id: str) -> None:
        self.lost = False
        self._lease = Lease(clients.commands, f"job-{job_id}")
        self._ended = Event()
        self._thread = Thread(target=self._renew, name="claim", daemon=True)

    def acquire(self) -> bool:
        """Acquire or renew the claim; whether this process holds it now.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            return self._lease.acquire_or_renew()

    def check(self) -> None:
        """Check that this process still holds the claim.

        Raises:
            ClaimLost: it does not.
        """
        if self.lost:
            raise ClaimLost("another jobs service has claimed this job")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        try:
            with outages_named():
                self._lease.release()
        except BrokerUnavailable as error:
            logger.debug("claim not released, it expires", error=reason_of(error))

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self.lost |= not self.acquire()
            except BrokerUnavailable as error:
                logger.debug("claim not renewed", error=reason_of(error))  # the analysis logs the outage as a warning
