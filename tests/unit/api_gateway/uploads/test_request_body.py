"""Pictures in the bodies of requests."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from api_gateway.uploads import request_body
from api_gateway.uploads.errors import TooManyUploads, UploadTooLarge
from api_gateway.uploads.request_body import ArrivingPictures


def request_with(parts: AsyncIterator[bytes]) -> Request:
    """A request whose body has these parts."""

    async def receive() -> dict:
        part = await anext(parts, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", b"image/jpeg")]}, receive)


async def body(*parts: bytes, end: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if end:
        await end.wait()


def test_pictures_that_arrive_at_a_time_share_a_limit_and_one_alone_may_be_larger(monkeypatch):
    monkeypatch.setattr(request_body, "ARRIVING_LIMIT", 1000)

    async def scene() -> None:
        arriving, end = ArrivingPictures(2000), asyncio.Event()
        first = asyncio.create_task(arriving.read(request_with(body(b"x" * 800, b"x" * 700, end=end))))
        await asyncio.sleep(0.05)
        with pytest.raises(TooManyUploads):
            await arriving.read(request_with(body(b"y")))
        end.set()
        assert len(await first) == 1500
        assert await arriving.read(request_with(body(b"y" * 900))) == b"y" * 900
        with pytest.raises(UploadTooLarge):
            await arriving.read(request_with(body(b"z" * 1500, b"z" * 1500)))
        assert arriving._bytes == 0

    asyncio.run(scene())
