"""The routes, one module a topic."""

from fastapi import FastAPI

from api_gateway.routes import (
    camera,
    emotion,
    erasures,
    faces,
    history,
    jobs,
    page,
    predict,
    probes,
    session,
    settings,
    sources,
    stream,
    video,
)


def include(app: FastAPI) -> None:
    """Add all routes to the application."""
    live, uploads = (video, emotion, stream, camera), (predict, jobs)
    stored, access = (faces, history, erasures), (session, probes)
    for topic in (*live, *uploads, sources, settings, *stored, *access):
        app.include_router(topic.router)
    page.include(app)  # last: it serves every path below /static
