"""The jobs as the registry in Redis has them, for who runs them."""

from contract import keys
from contract.jobs import UPDATE, read_status
from contract.messages.job import JobStatus
from contract.redis.broker import Clients, outages_named
from contract.redis.clock import RedisClock

ALIVE_SECONDS = 10
"""A jobs service that is silent for so long is none."""


class JobRegistry:
    """Reads and writes `keys.JOBS`. Every method raises BrokerUnavailable while Redis is away."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.commands
        self._clock = RedisClock()

    def now_ms(self) -> int:
        """Redis's time."""
        with outages_named():
            self._clock.refresh(self._client)
        return self._clock.now_ms()

    def jobs(self) -> list[JobStatus]:
        """All jobs, the oldest first; says besides that somebody is here to run them."""
        with outages_named():
            self._client.set(keys.JOBS_RUNNER, b"1", ex=ALIVE_SECONDS)
            stored = self._client.hvals(keys.JOBS)
        found = [job for value in stored if (job := read_status(value)) is not None]
        return sorted(found, key=lambda job: (job.created_ms, job.id))

    def get(self, job: str) -> JobStatus | None:
        """One job; None if there is none any more."""
        with outages_named():
            stored = self._client.hget(keys.JOBS, job)
        return read_status(stored) if stored else None

    def update(self, job: JobStatus, **changes: object) -> JobStatus | None:
        """The job with these changes; None if it was cancelled or removed meanwhile, so that nothing was written."""
        changed = job.model_copy(update={**changes, "changed_ms": self.now_ms()})
        with outages_named():
            self._client.set(keys.JOBS_RUNNER, b"1", ex=ALIVE_SECONDS)
            written = self._client.eval(UPDATE, 1, keys.JOBS, job.id, changed.model_dump_json())
        return changed if written else None

    def forget(self, job: str) -> None:
        """The job is no more."""
        with outages_named():
            self._client.hdel(keys.JOBS, job)
