"""For machines that look after machines: `/healthz`, `/readyz`, `/metrics`."""

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api_gateway.errors import ApiError
from api_gateway.gateway import Gateway
from api_gateway.routes.asked import AskedGateway

router = APIRouter(tags=["operation"])


class Well(BaseModel):
    """All is as it should be."""

    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def healthz() -> Well:
    """Whether this process is alive."""
    return Well()


@router.get("/readyz")
async def readyz(gateway: AskedGateway) -> Well:
    """Whether emotions can be had: Redis, a capture and a worker are there. Else 503 that says what is missing."""
    if missing := list(_missing(gateway)):
        raise ApiError(503, "not_ready", "missing: " + ", ".join(missing))
    return Well()


@router.get("/metrics", response_class=Response)
async def metrics(gateway: AskedGateway) -> Response:
    """Figures in Prometheus's text format."""
    figures = gateway.metrics
    figures.viewers.set(len(gateway.viewers))
    figures.clients.set(len(gateway.hub.clients))
    figures.rendered.set(gateway.video.rendered)
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
