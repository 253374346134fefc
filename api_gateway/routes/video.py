"""`/video_feed` with one video, `/ws/video` with several, and one still picture of a source."""

import asyncio
import json
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response, WebSocket, WebSocketDisconnect

from api_gateway.errors import describe, error_body
from api_gateway.routes.dependencies import PathSource, QuerySource, RegistryDep, VideoStreamDep, ViewersDep
from api_gateway.routes.openapi import Responses, binary_response, error_example
from api_gateway.security.access import SourceViewer, require_source
from api_gateway.security.tokens import Grant
from api_gateway.video.feed import VideoFeed, WatchMessage
from api_gateway.video.mjpeg import MEDIA_TYPE, NO_STORE, MjpegResponse
from api_gateway.video.renderer import WIDTHS, Variant
from api_gateway.video.stream import VideoRequest, VideoStream
from api_gateway.websocket.sender import ClientGone, Sender
from contract.errors import EmotiiError
from contract.runtime_settings import Blur

router = APIRouter(tags=["live"])
SERVICE_RESTART = 1012
"""Close code of a WebSocket: connect again."""
PICTURES: Responses = {
    200: {
        "content": {MEDIA_TYPE: {}},
        "description": "An endless series of JPEGs, which an `<img>` displays. The header `X-Frame` of each part holds "
        "the identity of the frame and the readings of its faces, as JSON.",
    }
}
STILL: Responses = {
    200: binary_response("The picture.", "image/jpeg"),
    503: error_example("No picture is available now.", "no_frame", "front is OFFLINE: the camera is unplugged"),
}


def _variant(
    width: Annotated[
        int | None,
        Query(ge=WIDTHS[0], le=7680, description=f"Maximum width; one of {', '.join(map(str, WIDTHS))}."),
    ] = None,
    blur: Annotated[Blur, Query(description="Hide faces; the settings may require more (off < blur < mask).")] = "off",
    labels: Annotated[
        Literal["drawn", "none"], Query(description="none: the picture without boxes and labels.")
    ] = "drawn",
) -> Variant:
    return Variant.for_request(width, blur, drawn=labels == "drawn")


VariantDep = Annotated[Variant, Depends(_variant)]


@router.head("/video_feed", include_in_schema=False)
@router.get("/video_feed", response_class=Response, responses=PICTURES)
async def video_feed(
    request: Request,
    variant: VariantDep,
    source: QuerySource,
    registry: RegistryDep,
    video: VideoStreamDep,
    viewers: ViewersDep,
    fps: Annotated[float | None, Query(ge=0.1, le=120, description="Maximum frame rate.")] = None,
) -> Response:
    """Video with boxes, emotions and confidences; a placeholder while there is none."""
    registry.chosen(source)  # 404 for an unknown name
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE, headers=NO_STORE)
    return MjpegResponse(video.pictures(VideoRequest(source, variant, fps)), viewers)


@router.get("/api/v1/sources/{name}/frame.jpg", response_class=Response, responses=STILL)
async def still(name: PathSource, video: VideoStreamDep, variant: VariantDep) -> Response:
    """The newest frame of a source with boxes, emotions and confidences, as one JPEG."""
    picture = await video.still(name, variant)
    x_frame = {"X-Frame": picture.metadata} if picture.metadata else {}
    return Response(picture.jpeg, media_type="image/jpeg", headers=NO_STORE | x_frame)


@router.websocket("/ws/video")
async def feed(socket: WebSocket, video: VideoStreamDep, viewers: ViewersDep, grant: SourceViewer) -> None:
    """The videos that the client names, until it leaves; an error comes as `{"error": {"code", "message"}}`."""
    await socket.accept()
    sender = Sender(socket)
    try:
        async with asyncio.timeout(None) as deadline:
            viewers.add(deadline)
            try:
                await _serve(socket, sender, video, grant)
            finally:
                viewers.discard(deadline)
    except TimeoutError:  # the gateway stops
        with suppress(WebSocketDisconnect):
            await socket.close(SERVICE_RESTART)


async def _serve(socket: WebSocket, sender: Sender, video: VideoStream, grant: Grant) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            await _receive(socket, VideoFeed(video, sender.send, tasks), grant)
    except* ClientGone:
        pass
    except* EmotiiError as refused:
        for error in refused.exceptions:
            if isinstance(error, EmotiiError):
                found = describe(error)
                await sender.close(json.dumps(error_body(found.code, found.message)), found.close_code, found.code)


async def _receive(socket: WebSocket, feed: VideoFeed, grant: Grant) -> None:
    """Receive what the client wants to watch until it leaves."""
    while (received := await socket.receive())["type"] != "websocket.disconnect":
        message = WatchMessage.read(received.get("text") or "")
        for one in message.watch or ():
            require_source(grant, one.source)
        feed.receive(message)
    raise ClientGone
