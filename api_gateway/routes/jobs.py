"""`/api/v1/jobs`: uploads recordings to be analysed, lists and cancels jobs, and downloads their files."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.routes.dependencies import JobsDep, SettingsDep
from api_gateway.routes.openapi import Responses, binary_response, file_body
from api_gateway.security.access import Operator, Viewer
from api_gateway.uploads.request_body import recording_of
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
MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".png": "image/png",
    ".webm": "video/webm",
    ".html": "text/html; charset=utf-8",
}
INLINE = {".png", ".webm", ".html", ".json"}
"""A browser displays these; it saves all others."""
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"
"""The report is self-contained; the policy lets it display itself and nothing else."""
FILE: Responses = {200: binary_response("The file.", *(kind.partition(";")[0] for kind in MEDIA_TYPES.values()))}
JobPart = Annotated[str, Path(examples=["4f9d0c1be2a3"], max_length=64)]


class JobResponse(BaseModel):
    """The status of a job."""

    model_config = {"from_attributes": True, "json_schema_extra": {"example": EXAMPLE}}

    id: str
    name: str
    """The recording's file name at its client."""
    state: JobState
    progress: float
    """0 to 1; for a recording that states no length 0 until its end."""
    frames: int
    faces: int
    reason: str
    """Why the job failed, or what it waits for."""
    created_ms: int
    files: list[str]
    """The files to download, once the job is done."""


class JobsResponse(BaseModel):
    """All jobs, the newest first."""

    model_config = {"json_schema_extra": {"example": {"jobs": [EXAMPLE]}}}

    jobs: list[JobResponse]


@router.post("", status_code=202, openapi_extra=file_body("video"))
async def submit(request: Request, jobs: JobsDep, settings: SettingsDep, _: Operator) -> JobResponse:
    """Upload a recording as form field `video`; its job is queued, and `GET /api/v1/jobs/{id}` returns its status."""
    return _response(await jobs.submit(recording_of(request, settings.jobs_upload_limit)))


@router.get("")
async def list_jobs(jobs: JobsDep, _: Viewer) -> JobsResponse:
    """All jobs, the newest first."""
    return JobsResponse(jobs=[_response(job) for job in await jobs.all()])


@router.get("/{job}")
async def job(job: JobPart, jobs: JobsDep, _: Viewer) -> JobResponse:
    """One job."""
    return _response(await jobs.get(job))


@router.delete("/{job}", status_code=204)
async def cancel(job: JobPart, jobs: JobsDep, _: Operator) -> None:
    """Stop a job if it runs, and remove its recording and files."""
    await jobs.cancel(job)


@router.get("/{job}/{file}", response_class=Response, responses=FILE)
async def file(
    job: JobPart, file: Annotated[str, Path(examples=["readings.csv"])], jobs: JobsDep, _: Viewer
) -> Response:
    """One of the files of a finished job, such as readings.csv, timeline.json or report.html."""
    path = await jobs.file(job, file)
    headers = {"Cache-Control": "private, no-cache"}
    if path.suffix == ".html":
        headers["Content-Security-Policy"] = REPORT_POLICY
    disposition = "inline" if path.suffix in INLINE else "attachment"
    media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    return FileResponse(
        path, media_type=media_type, filename=file, headers=headers, content_disposition_type=disposition
    )


def _response(job: JobStatus) -> JobResponse:
    return JobResponse.model_validate(job)
