"""The FastAPI application: built here, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api_gateway import routes
from api_gateway.errors import ErrorAnswer, install_error_shape
from api_gateway.gateway import Gateway
from api_gateway.security.access import Access
from api_gateway.security.audit import Audit, AuditLog
from api_gateway.security.guard import Guard
from api_gateway.settings import GatewaySettings

logger = structlog.get_logger()
DESCRIPTION = (
    "Facial emotions of live sources and single pictures: probabilities of an expression, not facts about a feeling."
)
ERRORS: dict[int | str, dict[str, object]] = {
    "4XX": {"model": ErrorAnswer, "description": "Refused, with the reason."},
    "5XX": {"model": ErrorAnswer, "description": "Cannot be done now, with the reason."},
}


def create_app(settings: GatewaySettings, on_failure: Callable[[], None] = lambda: None) -> FastAPI:
    """The application for these settings; it connects to Redis when it starts, not before.

    Args:
        settings: of the gateway.
        on_failure: called when a background task has failed; `app.state.failed` is True from then on.
    """
    gateway = Gateway(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                logger.critical("a background task failed", exc_info=error)
                app.state.failed = True
                on_failure()

        running = asyncio.create_task(gateway.run())
        running.add_done_callback(ended)
        yield
        running.cancel()
        await asyncio.wait({running})

    # The pages of FastAPI's documentation load scripts from other hosts, which this one never does.
    app = FastAPI(
        title="Emotii",
        version=version("emotii"),
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=ERRORS,
        docs_url=None,
        redoc_url=None,
    )
    app.state.gateway = gateway
    app.state.failed = False
    install_error_shape(app)
    routes.include(app)
    app.state.access = Access(settings.tokens, settings.session)
    app.add_middleware(Audit, log=AuditLog(settings.audit_log))
    app.add_middleware(
        Guard,
        allowed_hosts=settings.allowed_hosts,
        bound_host=settings.host,
        access=app.state.access,
        origins=settings.allowed_origins,
    )
    if settings.allowed_origins:  # outermost: what the guard refuses can be read there, too
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return app
