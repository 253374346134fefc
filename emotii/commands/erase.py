"""`emotii erase`: everything that was seen is erased, whether Emotii runs or not."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console

from api_gateway.erasure.coordinator import ErasureCoordinator, ErasureStatus
from api_gateway.erasure.eraser import Eraser
from api_gateway.erasure.live_state import NoLiveState
from api_gateway.faces.store import FaceStore
from api_gateway.history.database import Database
from api_gateway.history.service import LEASE_TASK, HistoryService
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.settings import GatewaySettings
from api_gateway.uploads.jobs import Jobs
from contract import keys
from contract.errors import EmotiiError, SettingsError
from contract.messages.erasure import Erased
from contract.redis.broker import AsyncClients, connect_async, outages_named
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease
from contract.service.settings import load
from emotii.commands.up import DataInUse, held
from emotii.local.redis_server import PrivateServer
from emotii.settings import UpSettings

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Asked:
    """What is to go."""

    source: str | None
    """None: what every source saw."""
    from_ms: int
    to_ms: int | None
    """None: until now."""


def asked(*, everything: bool, source: str | None, start: datetime | None, end: datetime | None) -> Asked:
    """What is to go, as the command line says it; times are local.

    Raises:
        SettingsError: it does not say what.
    """
    if everything is not (source is None and start is None and end is None):
        raise SettingsError("say what to erase: --all, or --source, --from or --to")
    from_ms, to_ms = (None if at is None else round(at.astimezone().timestamp() * 1000) for at in (start, end))
    if from_ms is not None and to_ms is not None and from_ms > to_ms:
        raise SettingsError("--from is after --to")
    return Asked(None if source is None else keys.source_name(source), from_ms or 0, to_ms)


def erase_and_tell(up: UpSettings, asked: Asked, console: Console) -> None:
    """Erase it, and say what is gone, here and wherever else a gateway runs.

    Raises:
        EmotiiError: it cannot be done now, or a gateway that runs did not do its part within a minute.
    """
    database = up.database_url or f"sqlite:///{up.data / 'history.db'}"
    settings = load(GatewaySettings, database_url=database)
    with _redis(up) as url:
        erased = asyncio.run(_erase(url, settings, asked))
    console.print(
        f"Erased: {erased.faces} saved faces, {erased.records} readings and episodes of the history, "
        f"{erased.jobs} recordings, {erased.entries} entries in Redis."
    )


async def _erase(url: str, settings: GatewaySettings, asked: Asked) -> Erased:
    clients = connect_async(url, "erase")
    clock = RedisClock()
    try:
        with outages_named():
            await clock.refresh_async(clients.commands)
        erasures = _erasures(clients, clock, settings)
        erasure = await erasures.request(asked.source, asked.from_ms, asked.to_ms)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await erasures.finish(erasure)
        return await _wait(erasures, erasure.id)
    except TimeoutError as error:
        raise EmotiiError("something could not be erased within a minute; the log says what") from error
    finally:
        await clients.close()


async def _wait(erasures: ErasureCoordinator, erasure: str) -> Erased:
    """What is gone when every gateway that runs has done its part."""
    standing: ErasureStatus | None = None
    for _ in range(round(PATIENCE_SECONDS / LOOK_SECONDS)):
        standing = next((one for one in await erasures.all() if one.erasure.id == erasure), None)
        if standing and standing.state == "done":
            return standing.erased
        await asyncio.sleep(LOOK_SECONDS)
    reason = standing.trouble if standing else "redis has lost it"
    raise EmotiiError(f"erased here; a gateway that runs has not done its part: {reason or 'it is silent'}")


def _erasures(clients: AsyncClients, clock: RedisClock, settings: GatewaySettings) -> ErasureCoordinator:
    commands = clients.commands
    lease = AsyncLease(commands, LEASE_TASK)  # never taken: nothing is recorded here
    history = HistoryService(Database(settings.database_url), lease, clock, timedelta(0), ErasedScopes())
    jobs = Jobs(commands, clock, settings.jobs, settings.jobs_upload_limit)
    return ErasureCoordinator(
        commands, clock, Eraser(commands, FaceStore(settings.saved_faces), history, jobs), NoLiveState()
    )


@contextmanager
def _redis(up: UpSettings) -> Iterator[str]:
    """The Redis that is used, started for the time being if it is the private one and nobody uses it now."""
    if up.redis_url is not None:
        yield up.redis_url
        return
    try:
        with held(up.data) as lock:
            server = PrivateServer(up.data, held=(lock.fileno(),))
            server.start()
            try:
                yield server.url
            finally:
                server.stop()
    except DataInUse:
        yield PrivateServer(up.data).url
