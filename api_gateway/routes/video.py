"""`/video_feed`."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api_gateway.mjpeg import MEDIA_TYPE, NO_STORE, MjpegResponse
from api_gateway.routes.asked import AskedGateway, SourceName

router = APIRouter(tags=["live"])
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "JPEGs without end; an `<img>` shows them."}
}


@router.head("/video_feed", include_in_schema=False)
@router.get("/video_feed", response_class=Response, responses=PICTURES)
async def video_feed(request: Request, gateway: AskedGateway, source: SourceName = None) -> Response:
    """Video with box, emotion and confidence; a picture that says so where there is none."""
    gateway.registry.chosen(source)  # 404 for a name that is none
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE, headers=NO_STORE)
    return MjpegResponse(gateway.video.pictures(source), gateway.viewers)
