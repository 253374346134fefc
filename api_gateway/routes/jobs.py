"""`/api/v1/jobs`: recordings handed in to be analysed, watched, cancelled and downloaded."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.errors import ApiError
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.routes.openapi_form import BYTES, OVERHEAD, body
from api_gateway.security.access import Operator, Viewer
from api_gateway.uploads.multipart import MultipartFile
from contract.messages.job import JobState, JobStatus

router = APIRouter(prefix="/api/v1/jobs", tags=["recordings"])
EXAMPLE: JsonDict = {
    "id": "4f9d0c1be2a3",
    "name": "interview.mp4",
    "state": "done",
    "progress": 1.0,
    "frames": 1500,
    "faces": 2950,
    "reason": "",
    "created_ms": 1790000000000,
    "files": ["readings.csv", "episodes.csv", "timeline.png", "report.html"],
}
KINDS = {
    ".csv": "text/csv; charset=utf-8",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".png": "image/png",
    ".webm": "video/webm",
    ".html": "text/html; charset=utf-8",
}
SHOWN = {".png", ".webm", ".html", ".json"}
"""What a browser shows; everything else it saves."""
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"
"""The report is whole in itself, and may do nothing but be looked at."""
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind.partition(";")[0]: {"schema": BYTES} for kind in KINDS.values()},
        "description": "The file.",
    }
}

JobPart = Annotated[str, Path(examples=["4f9d0c1be2a3"], max_length=64)]


class JobAnswer(BaseModel):
    """A job as it is now."""

    model_config = {"from_attributes": True, "json_schema_extra": {"example": EXAMPLE}}

    id: str
    name: str
    """As who handed it in calls the recording."""
    state: JobState
    progress: float
    """0 to 1; of a recording that states no length 0 until its end."""
    frames: int
    faces: int
    reason: str
    """Why it failed, or what it waits for."""
    created_ms: int
    files: list[str]
    """What can be downloaded, once it is done."""


class JobsAnswer(BaseModel):
    """All jobs, the newest first."""

    model_config = {"json_schema_extra": {"example": {"jobs": [EXAMPLE]}}}

    jobs: list[JobAnswer]


@router.post("", status_code=202, openapi_extra=body("video"))
async def hand_in(request: Request, gateway: AskedGateway, _: Operator) -> JobAnswer:
    """Hand in a recording, as form field `video`; it is queued, and `GET /api/v1/jobs/{id}` tells how it goes."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        raise ApiError(415, "unsupported_media_type", "send the video as form field `video`")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > gateway.settings.jobs_upload_limit + OVERHEAD:
        raise gateway.jobs.too_large()
    return _answer(await gateway.jobs.take_in(MultipartFile(kind, request.stream(), "video")))


@router.get("")
async def jobs(gateway: AskedGateway, _: Viewer) -> JobsAnswer:
    """All jobs, the newest first."""
    return JobsAnswer(jobs=[_answer(job) for job in await gateway.jobs.all()])


@router.get("/{job}")
async def job(job: JobPart, gateway: AskedGateway, _: Viewer) -> JobAnswer:
    """One job."""
    return _answer(await gateway.jobs.get(job))


@router.delete("/{job}", status_code=204)
async def cancel(job: JobPart, gateway: AskedGateway, _: Operator) -> None:
    """Stop a job if it runs, and remove its recording and files."""
    await gateway.jobs.cancel(job)


@router.get("/{job}/{file}", response_class=Response, responses=FILE)
async def file(
    job: JobPart, file: Annotated[str, Path(examples=["readings.csv"])], gateway: AskedGateway, _: Viewer
) -> Response:
    """One of the files of a job that is done, such as readings.csv, timeline.json or report.html."""
    path = await gateway.jobs.file(job, file)
    if not await asyncio.to_thread(path.is_file):
        raise ApiError(404, "unknown_file", f"{file} of job {job} is gone")
    headers = {"Cache-Control": "private, no-cache"}
    if path.suffix == ".html":
        headers["Content-Security-Policy"] = REPORT_POLICY
    disposition = "inline" if path.suffix in SHOWN else "attachment"
    kind = KINDS.get(path.suffix, "application/octet-stream")
    return FileResponse(path, media_type=kind, filename=file, headers=headers, content_disposition_type=disposition)


def _answer(job: JobStatus) -> JobAnswer:
    return JobAnswer.model_validate(job)
