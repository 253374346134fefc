"""The dashboard, the browser camera page, the sign-in page and their static files."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

STATIC = Path(__file__).parent.parent / "static"
REVALIDATE = {"Cache-Control": "no-cache"}


class _Files(StaticFiles):
    """Static files that browsers revalidate on every request, so that no page mixes two releases."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - the base class's own
        response = super().file_response(*args, **kwargs)
        response.headers.update(REVALIDATE)
        return response


def include(app: FastAPI) -> None:
    """Serve the pages, and below `/static` the files that they load."""

    @app.get("/", include_in_schema=False)
    @app.head("/", include_in_schema=False)
    async def dashboard() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=REVALIDATE)

    @app.get("/camera", include_in_schema=False)
    @app.head("/camera", include_in_schema=False)
    async def camera() -> FileResponse:
        return FileResponse(STATIC / "camera" / "camera.html", headers=REVALIDATE)

    @app.get("/sign-in", include_in_schema=False)
    @app.head("/sign-in", include_in_schema=False)
    async def sign_in() -> FileResponse:
        return FileResponse(STATIC / "sign-in" / "sign-in.html", headers=REVALIDATE)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", headers=REVALIDATE)

    app.mount("/static", _Files(directory=STATIC), name="static")
