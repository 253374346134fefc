"""`emotii up`: everything that is needed, as supervised processes under one roof."""

import fcntl
import os
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from rich.console import Console

from api_gateway.exposure import check_reach
from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import configured
from contract.errors import EmotiiError, SettingsError
from contract.model.folder import find_model
from contract.redis.broker import connect
from contract.service.health import is_healthy
from contract.service.lifecycle import stop_on_signal
from contract.service.settings import load
from emotii.local.ports import USUAL, choose
from emotii.local.redis_server import PrivateServer
from emotii.local.supervisor import Service, Supervised, Supervisor, services_environment, workers
from emotii.local.webcam import has_webcam
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.settings import JobsSettings

READY_SECONDS = 15.0
"""Then it is said where to look."""

JOBS_SECONDS = 3.0
"""Recordings wait for so long, while what is watched begins."""


class DataInUse(EmotiiError):  # noqa: N818 - what is the case
    """Another process holds the data folder."""


def up(settings: UpSettings, console: Console, *, open_page: bool = False) -> None:
    """Run server, gateway, workers and capture until a signal comes.

    Raises:
        EmotiiError: a setting, a port or the data folder cannot be used, or a service refuses its settings.
    """
    with stop_on_signal() as stop, _server(settings) as (server, redis_url):
        port = choose(settings.host, settings.port)
        if settings.port is None and port != USUAL:
            console.print(f"Port {USUAL} is taken, using {port} (EMOTII_PORT chooses).")
        sources = _sources(settings, console)
        _check(redis_url, sources)
        environment = {
            **services_environment(redis_url, settings.log_level),
            **sources,
            "EMOTII_AUDIT_LOG": os.environ.get("EMOTII_AUDIT_LOG") or str(settings.data / "audit.jsonl"),
            "EMOTII_DATABASE_URL": settings.database_url or f"sqlite:///{settings.data / 'history.db'}",
            "EMOTII_HOST": settings.host,
            "EMOTII_PORT": str(port),
        }
        services = [  # what takes longest to its first result goes first, and what nobody waits for comes later
            Service("capture", "capture_service", environment),
            *workers(settings.workers, environment),
            Service("gateway", "api_gateway", environment),
            Service("jobs", "jobs_service", environment, after=JOBS_SECONDS),
        ]
        with Supervisor([*server, *services]) as supervisor:
            url = f"http://{_reachable(settings.host)}:{port}"
            Thread(target=_announce, args=(url, stop, console, open_page), daemon=True).start()
            supervisor.watch(stop)
            console.print("\nStopping ...")
    console.print("Stopped.")


@contextmanager
def _server(settings: UpSettings) -> Iterator[tuple[list[Supervised], str]]:
    """The server that EMOTII_REDIS_URL names, which is no process of ours, or a private one; and its URL."""
    if settings.redis_url is not None:
        yield [], settings.redis_url
        return
    with held(settings.data) as lock:
        server = PrivateServer(settings.data, held=(lock.fileno(),))
        yield [server], server.url


def _sources(settings: UpSettings, console: Console) -> dict[str, str]:
    """The environment that says what is watched."""
    if settings.sources is not None:
        return {"EMOTII_SOURCES": settings.sources}
    if settings.sources_file is not None:
        return {}
    if has_webcam():
        return {"EMOTII_SOURCES": "webcam=0"}
    console.print("No webcam here, showing the demo clip (--source chooses: a webcam, a file, a stream).")
    return {"EMOTII_SOURCES": "demo=demo"}


def _check(redis_url: str, sources: dict[str, str]) -> None:
    """Say what is wrong with the settings once, here, and not by each service that would stumble over it."""
    gateway = load(GatewaySettings)
    check_reach(gateway)
    if gateway.database_url != GatewaySettings.model_fields["database_url"].default:
        from api_gateway.history.database import Database  # takes a while, and nothing has started yet

        Database(gateway.database_url)  # opens no connection either
    load(JobsSettings)
    find_model(load(InferenceSettings).model)
    configured(
        load(CaptureSettings, **{name.removeprefix("EMOTII_").lower(): value for name, value in sources.items()})
    )
    connect(redis_url, "up").close()  # opens no connection, only reads the URL


def _announce(url: str, stop: Event, console: Console, open_page: bool) -> None:
    """Print the address when everything is ready; say what is missing if that takes long."""
    patience = time.monotonic() + READY_SECONDS
    while not stop.wait(0.1) and not is_healthy(f"{url}/readyz"):
        if time.monotonic() > patience:
            console.print(f"Still starting; {url}/readyz says what is missing.")
            patience = float("inf")
    if not stop.is_set():
        console.print(f"[bold]Emotii is running: {url}[/bold]  (Ctrl-C stops it)")
        if open_page:
            webbrowser.open(url)


def _reachable(host: str) -> str:
    """An address under which a browser on this machine reaches what is bound to `host`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@contextmanager
def held(data: Path) -> Iterator[TextIO]:
    """Hold the data folder: two servers on one append-only file would ruin it.

    The server inherits the lock, so that it lasts as long as either of us.

    Raises:
        DataInUse: another process holds it.
        SettingsError: there can be no such folder.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"EMOTII_DATA={data}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Emotii or its server already runs with {data.resolve()}: stop it, or choose another EMOTII_DATA"
            raise DataInUse(message) from None
        yield lock
