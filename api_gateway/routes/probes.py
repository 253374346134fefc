"""For orchestration and monitoring: `/healthz`, `/readyz`, `/metrics`."""

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api_gateway.routes.dependencies import (
    DisksDep,
    HistoryDep,
    HubDep,
    MetricsDep,
    RegistryDep,
    RendererDep,
    ViewersDep,
)
from api_gateway.routes.openapi import Responses, error_example
from api_gateway.security.access import Viewer

router = APIRouter(tags=["operation"])
NOT_READY: Responses = {503: error_example("Something is missing.", "not_ready", "missing: a worker, a capture")}
METRICS: Responses = {
    200: {
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "# TYPE emotii_gateway_workers gauge\nemotii_gateway_workers 2.0\n",
            }
        },
        "description": "The metrics of this gateway.",
    }
}


class HealthResponse(BaseModel):
    """The check succeeded."""

    model_config = {"json_schema_extra": {"example": {"status": "ok"}}}

    status: Literal["ok"] = "ok"


class ReadyResponse(HealthResponse):
    """Live results are served."""

    disks: tuple[str, ...] = ()
    """Why something cannot be stored now, by disk; live results need none."""


@router.get("/healthz")
async def healthz() -> HealthResponse:
    """Whether this process is alive."""
    return HealthResponse()


@router.get("/readyz", responses=NOT_READY)
async def readyz(registry: RegistryDep, disks: DisksDep) -> ReadyResponse:
    """Whether Redis, a capture and a worker are available (503: the message lists what is missing).

    `disks` names those that are full or cannot be written to, while live results go on.
    """
    registry.check_ready()
    return ReadyResponse(disks=disks.troubles())


@router.get("/metrics", response_class=Response, responses=METRICS)
async def metrics(
    metrics: MetricsDep,
    viewers: ViewersDep,
    hub: HubDep,
    renderer: RendererDep,
    history: HistoryDep,
    registry: RegistryDep,
    _: Viewer,
) -> Response:
    """Metrics in Prometheus's text format."""
    metrics.viewers.set(len(viewers))
    metrics.clients.set(len(hub))
    metrics.rendered.set(renderer.encoded.total())
    metrics.history_waiting.set(history.event().waiting)
    metrics.history_dropped.set(history.event().dropped)
    metrics.redis.set(registry.reachable)
    metrics.workers.set(len(registry.workers()))
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
