"""`emotii erase`: erases stored data, whether Emotii is running or not."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from rich.console import Console

from api_gateway.erasure import streams
from api_gateway.erasure.coordinator import ErasureCoordinator, ErasureStatus
from api_gateway.erasure.eraser import Eraser
from api_gateway.erasure.live_state import NoLiveState
from api_gateway.faces.store import FaceStore
from api_gateway.history.database import Database, DatabaseUnavailable
from api_gateway.history.queries import HistoryQueries
from api_gateway.history.service import LEASE_TASK, HistoryService
from api_gateway.restorations import Restorations
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.security.audit import AuditLog
from api_gateway.settings import GatewaySettings
from api_gateway.uploads.jobs import Jobs
from contract import keys
from contract.errors import EmotiiError, SettingsError, SourceError
from contract.messages.erasure import Erased
from contract.redis.broker import AsyncClients, connect_async, outages_named
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease
from contract.service.lifecycle import private_files
from contract.service.settings import load
from emotii.local import data_folder
from emotii.local.redis_server import PrivateServer
from emotii.settings import UpSettings

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class ErasureRequest:
    """Which data to erase."""

    source: str | None
    """None: of every source."""
    from_ms: int
    to_ms: int | None
    """None: until now."""

    @classmethod
    def parse(cls, *, everything: bool, source: str | None, start: datetime | None, end: datetime | None) -> Self:
        """The request that the command line states; times are local.

        Raises:
            SettingsError: the options are missing or contradictory.
            SourceError: `source` cannot be the name of a source.
        """
        if everything is not (source is None and start is None and end is None):
            raise SettingsError("choose what to erase: --all, or --source, --from or --to")
        from_ms, to_ms = (None if at is None else round(at.astimezone().timestamp() * 1000) for at in (start, end))
        if from_ms is not None and to_ms is not None and from_ms > to_ms:
            raise SettingsError("--from is after --to")
        return cls(None if source is None else keys.source_name(source), from_ms or 0, to_ms)


def erase(up: UpSettings, request: ErasureRequest, console: Console) -> None:
    """Erase the data here and in every running gateway, and print what was erased.

    Raises:
        EmotiiError: the data cannot be erased now, or a running gateway did not complete its part within a minute.
    """
    private_files()  # it may start the server, which rewrites its file
    database = up.database_url or f"sqlite:///{up.data / 'history.db'}"
    settings = load(GatewaySettings, database_url=database)
    with _redis(up) as url:
        erased = asyncio.run(_erase(url, settings, request))
    console.print(
        f"Erased: {erased.faces} saved faces, {erased.records} readings and episodes of the history, "
        f"{erased.jobs} recordings, {erased.entries} entries in Redis."
    )


async def _erase(url: str, settings: GatewaySettings, request: ErasureRequest) -> Erased:
    clients = connect_async(url, "erase")
    clock = RedisClock()
    try:
        with outages_named():
            await clock.refresh_async(clients.commands)
        coordinator = _coordinator(clients, clock, settings)
        erasure = await coordinator.request(request.source, request.from_ms, request.to_ms)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await coordinator.finish(erasure)
    except TimeoutError as error:
        raise EmotiiError("some data could not be erased within a minute; the log names it") from error
    else:
        erased = await _wait(coordinator, erasure.id)
        if request.source is not None and erased == Erased():
            await _check_known(request.source, clients, settings)
        return erased
    finally:
        await clients.close()


async def _check_known(source: str, clients: AsyncClients, settings: GatewaySettings) -> None:
    """Check that there is a source of this name, of which nothing was stored: the name may be misspelt.

    Raises:
        SourceError: there is none; the message names those that there are.
    """
    with outages_named():
        known = set(await streams.sources(clients.commands))
        for key in (keys.SOURCES, keys.ADDED_SOURCES):
            known |= {bytes(name).decode(errors="replace") for name in await clients.commands.hkeys(key)}  # type: ignore[arg-type]
    history = HistoryQueries(Database(settings.database_url))
    with suppress(DatabaseUnavailable):  # there is none yet
        known |= await asyncio.to_thread(history.sources)
    if source not in known:
        names = ", ".join(sorted(known - {keys.UPLOADS}))
        others = f"there are: {names}" if names else "no source is known"
        raise SourceError(f"nothing is known of a source {source!r}, so nothing was erased; {others}")


async def _wait(coordinator: ErasureCoordinator, erasure: str) -> Erased:
    """What was erased, when every running gateway has completed its part."""
    status: ErasureStatus | None = None
    for _ in range(round(TIMEOUT_SECONDS / POLL_SECONDS)):
        status = next((one for one in await coordinator.all() if one.erasure.id == erasure), None)
        if status and status.state == "done":
            return status.erased
        await asyncio.sleep(POLL_SECONDS)
    reason = status.trouble if status else "redis has lost the erasure"
    message = "the data is erased here, but a running gateway has not completed its part"
    raise EmotiiError(f"{message}: {reason or 'it does not respond'}")


def _coordinator(clients: AsyncClients, clock: RedisClock, settings: GatewaySettings) -> ErasureCoordinator:
    commands = clients.commands
    lease = AsyncLease(commands, LEASE_TASK)  # never acquired: this process records no history
    history = HistoryService(Database(settings.database_url), lease, clock, timedelta(0), ErasedScopes())
    jobs = Jobs(commands, clock, settings.jobs, settings.jobs_upload_limit)
    eraser = Eraser(commands, FaceStore(settings.saved_faces), history, jobs)
    restorations = Restorations(AuditLog(settings.audit_log), clock)
    return ErasureCoordinator(commands, clock, eraser, NoLiveState(), restorations.report)


@contextmanager
def _redis(up: UpSettings) -> Iterator[str]:
    """The URL of Redis. The private server is started for the duration, unless `emotii up` already runs it."""
    if up.redis_url is not None:
        yield up.redis_url
        return
    try:
        with data_folder.locked(up.data) as lock:
            server = PrivateServer(up.data, inherited=(lock.fileno(),))
            server.start()
            try:
                yield server.url
            finally:
                server.stop()
    except data_folder.DataFolderLocked:
        yield PrivateServer(up.data).url
