"""For machines that look after machines: `/healthz`, `/readyz`, `/metrics`."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api_gateway.errors import ApiError, ErrorAnswer
from api_gateway.gateway import Gateway
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.security.access import Viewer

router = APIRouter(tags=["operation"])


NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": ErrorAnswer,
        "description": "Something is missing.",
        "content": {
            "application/json": {"example": {"error": {"code": "not_ready", "message": "missing: a worker, a capture"}}}
        },
    }
}
FIGURES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "# TYPE emotii_gateway_workers gauge\nemotii_gateway_workers 2.0\n",
            }
        },
        "description": "Figures of this gateway.",
    }
}


class Well(BaseModel):
    """All is as it should be."""

    model_config = {"json_schema_extra": {"example": {"status": "ok"}}}

    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def healthz() -> Well:
    """Whether this process is alive."""
    return Well()


@router.get("/readyz", responses=NOT_READY)
async def readyz(gateway: AskedGateway) -> Well:
    """Whether emotions can be had: Redis, a capture and a worker are there. Else 503 that says what is missing."""
    if missing := list(_missing(gateway)):
        raise ApiError(503, "not_ready", "missing: " + ", ".join(missing))
    return Well()


@router.get("/metrics", response_class=Response, responses=FIGURES)
async def metrics(gateway: AskedGateway, _: Viewer) -> Response:
    """Figures in Prometheus's text format."""
    figures = gateway.metrics
    figures.viewers.set(len(gateway.viewers))
    figures.clients.set(len(gateway.hub))
    figures.rendered.set(gateway.renderer.encoded.total())
    figures.history_waiting.set(gateway.history.event().waiting)
    figures.history_dropped.set(gateway.history.event().dropped)
    figures.redis.set(gateway.registry.reachable)
    figures.workers.set(len(gateway.registry.workers()))
    return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)


def _missing(gateway: Gateway) -> list[str]:
    if not gateway.registry.reachable:
        return ["redis"]
    missing = []
    if not gateway.registry.workers():
        missing.append("a worker")
    if not any(gateway.registry.is_heard(status) for status in gateway.registry.sources()):
        missing.append("a capture")
    return missing
