"""The FastAPI application: built here, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api_gateway import routes
from api_gateway.connections.limits import ConnectionLimits
from api_gateway.connections.request_bodies import RequestBodies
from api_gateway.connections.streams import AdmitConnections, Streams
from api_gateway.errors import ErrorResponse, error_response, install_error_handlers
from api_gateway.gateway import Gateway
from api_gateway.security.access import Access
from api_gateway.security.audit import Audit
from api_gateway.security.guard import Guard

logger = structlog.get_logger()
DESCRIPTION = (
    "Facial emotions of live sources and single pictures: probabilities of an expression, not facts about a feeling."
)
ERRORS: dict[int | str, dict[str, object]] = {
    "4XX": {"model": ErrorResponse, "description": "Refused, with the reason."},
    "5XX": {"model": ErrorResponse, "description": "Unavailable now, with the reason."},
}

UPLOADS = {"/api/v1/predict", "/api/v1/jobs"}
"""Paths whose POST reads a file of the size that its own setting allows. All other bodies are small."""
VIDEOS = {"/video_feed"}
"""Paths whose response has no end."""


def create_app(
    gateway: Gateway, on_failure: Callable[[], None] = lambda: None, limits: ConnectionLimits | None = None
) -> FastAPI:
    """The application of a gateway, which runs from the application's start to its end.

    Args:
        gateway: its services; `routes.dependencies` gives them to the routes.
        on_failure: called when a background task of the gateway has failed.
        limits: on connections; by default those of the settings.
    """
    settings = gateway.settings
    access = Access(settings.tokens, settings.session)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        def on_end(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                logger.critical("a background task failed", exc_info=error)
                on_failure()

        running = asyncio.create_task(gateway.run())
        running.add_done_callback(on_end)
        yield
        running.cancel()
        await asyncio.wait({running})

    # FastAPI's documentation pages load scripts from other hosts, which this application never does.
    app = FastAPI(
        title="Emotii",
        version=version("emotii"),
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=ERRORS,
        docs_url=None,
        redoc_url=None,
    )
    app.state.gateway, app.state.access = gateway, access
    install_error_handlers(app)
    routes.include(app)
    seconds = settings.request_timeout.total_seconds()
    app.add_middleware(RequestBodies, uploads=UPLOADS, seconds=seconds, refuse=error_response)
    streams = Streams(limits or settings.connection_limits)
    app.add_middleware(AdmitConnections, streams=streams, videos=VIDEOS, refuse=error_response)
    app.add_middleware(Audit, log=gateway.audit)
    app.add_middleware(
        Guard,
        allowed_hosts=settings.allowed_hosts,
        bound_host=settings.host,
        access=access,
        refuse=error_response,
        origins=settings.allowed_origins,
    )
    if settings.allowed_origins:  # outermost, so that pages of these origins can also read the guard's refusals
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return app
