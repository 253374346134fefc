"""`/video_feed`, and one picture of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api_gateway.errors import refusal
from api_gateway.routes.dependencies import AskedGateway, NamedSource, SourceName
from api_gateway.video.mjpeg import MEDIA_TYPE, NO_STORE, MjpegResponse
from api_gateway.video.renderer import WIDTHS, Variant
from api_gateway.video.stream import VideoRequest
from contract.runtime_settings import Blur

router = APIRouter(tags=["live"])
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {}},
        "description": "JPEGs without end; an `<img>` shows them. The header `X-Frame` of each part says which frame "
        "it is, and what was read of its faces, as JSON.",
    }
}
STILL: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The picture.",
    },
    503: refusal("No picture can be had now.", "no_frame", "front is OFFLINE: the camera is unplugged"),
}


def _variant(
    width: Annotated[
        int | None,
        Query(ge=WIDTHS[0], le=7680, description=f"At most so wide; made in {', '.join(map(str, WIDTHS))}."),
    ] = None,
    blur: Annotated[
        Blur, Query(description="Hide faces; where the settings ask for more, as they say (off < blur < mask).")
    ] = "off",
    labels: Annotated[
        Literal["drawn", "none"], Query(description="none: the picture without boxes and words.")
    ] = "drawn",
) -> Variant:
    return Variant.asked(width, blur, drawn=labels == "drawn")


AskedVariant = Annotated[Variant, Depends(_variant)]


@router.head("/video_feed", include_in_schema=False)
@router.get("/video_feed", response_class=Response, responses=PICTURES)
async def video_feed(
    request: Request,
    gateway: AskedGateway,
    variant: AskedVariant,
    source: SourceName,
    fps: Annotated[float | None, Query(ge=0.1, le=120, description="At most so many pictures a second.")] = None,
) -> Response:
    """Video with box, emotion and confidence; a picture that says so where there is none."""
    gateway.registry.chosen(source)  # 404 for a name that is none
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE, headers=NO_STORE)
    return MjpegResponse(gateway.video.pictures(VideoRequest(source, variant, fps)), gateway.viewers)


@router.get("/api/v1/sources/{name}/frame.jpg", response_class=Response, responses=STILL)
async def still(name: NamedSource, gateway: AskedGateway, variant: AskedVariant) -> Response:
    """The newest frame of a source with box, emotion and confidence, as one JPEG."""
    picture = await gateway.video.still(name, variant)
    told = {"X-Frame": picture.told} if picture.told else {}
    return Response(picture.jpeg, media_type="image/jpeg", headers=NO_STORE | told)
