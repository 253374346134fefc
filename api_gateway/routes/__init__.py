"""The routes, one module a topic."""

from fastapi import FastAPI

from api_gateway.routes import (
    camera,
    emotion,
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
    """Put all routes into the application."""
    for topic in (video, emotion, stream, camera, predict, jobs, sources, settings, faces, history, session, probes):
        app.include_router(topic.router)
    page.include(app)  # last: it answers every path below /static
