"""The registry of jobs in Redis, as the jobs service reads and writes it."""

from contract import keys
from contract.jobs import UPDATE, stored_jobs
from contract.messages.job import JobStatus
from contract.redis.broker import Clients, outages_named
from contract.redis.clock import RedisClock

ALIVE_SECONDS = 10
"""Gateways report that no jobs service runs if none was seen for so long."""


class JobRegistry:
    """Reads and writes the hash `keys.JOBS`. Every method raises BrokerUnavailable if Redis cannot be reached."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.commands
        self._clock = RedisClock()
        self._stored = stored_jobs()

    def now_ms(self) -> int:
        """Redis's time."""
        with outages_named():
            self._clock.refresh(self._client)
        return self._clock.now_ms()

    def jobs(self) -> list[JobStatus]:
        """All jobs, oldest first. The call is also the heartbeat of this jobs service."""
        with outages_named():
            self._send_heartbeat()
            stored = self._stored.read(self._client)
        return sorted(stored.values(), key=lambda job: (job.created_ms, job.id))

    @property
    def unreadable(self) -> frozenset[str]:
        """The ids under which the registry had something at the last call of `jobs` that is no status for this release.

        Another release may have written it, so the folders of these ids must stay. The empty id stands for all.
        """
        return self._stored.ignored

    def update(self, job: JobStatus, **changes: object) -> JobStatus | None:
        """The job with these changes; None if it was cancelled or removed, so that nothing was written."""
        changed = job.model_copy(update={**changes, "changed_ms": self.now_ms()})
        with outages_named():
            self._send_heartbeat()
            written = self._client.eval(UPDATE, 1, keys.JOBS, job.id, changed.model_dump_json())
        return changed if written else None

    def remove(self, job_id: str) -> None:
        """Remove the job."""
        with outages_named():
            self._client.hdel(keys.JOBS, job_id)

    def _send_heartbeat(self) -> None:
        self._client.set(keys.JOBS_RUNNER, b"1", ex=ALIVE_SECONDS)
