"""`emotii up`: all services on this machine, as supervised processes."""

import os
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console

from api_gateway.exposure import check_reach
from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import configured
from contract.model.folder import find_model
from contract.redis.server_check import check_server
from contract.service.health import is_healthy
from contract.service.lifecycle import private_files, stop_on_signal
from contract.service.logs import scrub
from contract.service.settings import load
from emotii.local import data_folder
from emotii.local.disk_guard import DiskGuard
from emotii.local.ports import DEFAULT, choose
from emotii.local.redis_server import PrivateServer
from emotii.local.supervisor import Service, Supervised, Supervisor, services_environment, workers
from emotii.local.webcam import has_webcam
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.settings import JobsSettings

SLOW_START_SECONDS = 15.0
"""If the start takes longer, a hint is printed."""
JOBS_DELAY_SECONDS = 3.0
"""The jobs service starts later, so that live sources start faster."""


def up(settings: UpSettings, console: Console, *, open_page: bool = False) -> None:
    """Run the server and all services until a signal arrives.

    Raises:
        EmotiiError: a setting, a port or the data folder cannot be used, or a service rejects its settings.
    """
    private_files()
    with stop_on_signal() as stop, _server(settings) as (server, redis_url):
        port = choose(settings.host, settings.port)
        if settings.port is None and port != DEFAULT:
            console.print(f"Port {DEFAULT} is taken, using port {port}. To choose a port, use --port or EMOTII_PORT.")
        sources = _sources(settings, console)
        _check(redis_url, sources)
        environment = {
            **services_environment(redis_url, settings.log_level),
            **sources,
            "EMOTII_AUDIT_LOG": os.environ.get("EMOTII_AUDIT_LOG") or str(settings.data / "audit.jsonl"),
            "EMOTII_SETTINGS_COPY": os.environ.get("EMOTII_SETTINGS_COPY") or str(settings.data / "settings.json"),
            "EMOTII_DATABASE_URL": settings.database_url or f"sqlite:///{settings.data / 'history.db'}",
            "EMOTII_HOST": settings.host,
            "EMOTII_PORT": str(port),
        }
        services = [  # the slowest to start comes first
            Service("capture", "capture_service", environment),
            *workers(settings.workers, environment),
            Service("gateway", "api_gateway", environment),
            Service("jobs", "jobs_service", environment, after=JOBS_DELAY_SECONDS),
        ]
        with Supervisor([*server, *services]) as supervisor:
            url = f"http://{_reachable(settings.host)}:{port}"
            Thread(target=_announce, args=(url, redis_url, stop, console, open_page), daemon=True).start()
            supervisor.run(stop)
            console.print("\nStopping ...")
    console.print("Stopped.")


@contextmanager
def _server(settings: UpSettings) -> Iterator[tuple[list[Supervised], str]]:
    """The private server as a process to supervise, or none if EMOTII_REDIS_URL names a server; and the URL."""
    if settings.redis_url is not None:
        yield [], settings.redis_url
        return
    with data_folder.locked(settings.data) as lock:
        server, ended = PrivateServer(settings.data, inherited=(lock.fileno(),)), Event()
        DiskGuard(server.url, settings.data).start(ended)
        try:
            yield [server], server.url
        finally:
            ended.set()


def _sources(settings: UpSettings, console: Console) -> dict[str, str]:
    """The environment variables that name the sources."""
    if settings.sources is not None:
        return {"EMOTII_SOURCES": settings.sources}
    if settings.sources_file is not None:
        return {}
    if has_webcam():
        return {"EMOTII_SOURCES": "webcam=0"}
    console.print("No webcam found, showing the demo clip. To capture a webcam, file or stream, use --source.")
    return {"EMOTII_SOURCES": "demo=demo"}


def _check(redis_url: str, sources: dict[str, str]) -> None:
    """Check the settings of all services before any of them starts, so that an error is reported once."""
    gateway = load(GatewaySettings)
    check_reach(gateway)
    if gateway.database_url != GatewaySettings.model_fields["database_url"].default:
        from api_gateway.history.database import Database  # slow to import, and no service has started yet

        Database(gateway.database_url)  # checks the URL, opens no connection
    load(JobsSettings)
    find_model(load(InferenceSettings).model)
    configured(
        load(CaptureSettings, **{name.removeprefix("EMOTII_").lower(): value for name, value in sources.items()})
    )
    check_server(redis_url)


def _announce(url: str, redis_url: str, stop: Event, console: Console, open_page: bool) -> None:
    """Print the URL when all services are ready, or a hint if that takes long."""
    hint_at = time.monotonic() + SLOW_START_SECONDS
    while not stop.wait(0.1) and not is_healthy(f"{url}/readyz"):
        if time.monotonic() > hint_at:
            console.print(f"Still starting. {url}/readyz lists what is missing.")
            hint_at = float("inf")
    if not stop.is_set():
        console.print(f"[bold]Emotii is running: {url}[/bold]  (Ctrl-C stops it)")
        console.print(f"Redis for programs of your own: {scrub(redis_url)}")
        if open_page:
            webbrowser.open(url)


def _reachable(host: str) -> str:
    """A host name at which a browser on this machine reaches a server that is bound to `host`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
