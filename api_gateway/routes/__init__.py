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
    """Put all routes into the application."""
    live, handed_in = (video, emotion, stream, camera), (predict, jobs)
    kept, access = (faces, history, erasures), (session, probes)
    for topic in (*live, *handed_in, sources, settings, *kept, *access):
        app.include_router(topic.router)
    page.include(app)  # last: it answers every path below /static
