"""`/ws/camera/{name}`: a browser as a camera. JPEGs in, credits out."""

import asyncio
import json

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from api_gateway.errors import ApiError
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.security.access import Operator
from api_gateway.sources.browser_camera import BrowserCamera
from contract.errors import BrokerUnavailable
from contract.redis.broker import outages_named

router = APIRouter()
logger = structlog.get_logger()
CREDIT_SECONDS = 0.02
SILENT_SECONDS = 30.0
"""A browser that may send and sends nothing for so long is let go; a hidden page still sends about once a second."""
STALLED_SECONDS = 7.0
JPEG_BEGIN = b"\xff\xd8"
POLICY, TRY_AGAIN = 1008, 1013
"""Codes with which the connection is closed."""


@router.websocket("/ws/camera/{name}")
async def camera(socket: WebSocket, name: str, gateway: AskedGateway, _: Operator) -> None:
    """Pictures until the browser leaves; why it is refused or let go comes as `{"error": {"code", "message"}}`."""
    await socket.accept()
    browser = gateway.browser_camera(name)
    try:
        with outages_named():
            try:
                await browser.enter()
                await _serve(socket, browser, gateway.settings.camera_frame_limit)
            finally:
                await browser.leave()
    except ApiError as error:
        await _close(socket, error, POLICY)
    except BrokerUnavailable:
        away = ApiError(503, "redis_unavailable", "Redis cannot be reached now; try again soon")
        await _close(socket, away, TRY_AGAIN)
    except WebSocketDisconnect:
        return


async def _serve(socket: WebSocket, browser: BrowserCamera, limit: int) -> None:
    tasks = {
        asyncio.create_task(work) for work in (_take(socket, browser, limit), _give(socket, browser), browser.keep())
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _take(socket: WebSocket, browser: BrowserCamera, limit: int) -> None:
    try:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            jpeg = message.get("bytes") or b""
            if len(jpeg) > limit:
                raise ApiError(413, "too_large", f"a picture may have {limit} bytes (EMOTII_CAMERA_FRAME_LIMIT)")
            if not jpeg.startswith(JPEG_BEGIN):
                raise ApiError(422, "bad_picture", "send each picture as one binary message that is a JPEG")
            await browser.hand_in(jpeg)
    except TimeoutError:
        raise ApiError(408, "silent", f"no picture for {SILENT_SECONDS:g} s") from None


async def _give(socket: WebSocket, browser: BrowserCamera) -> None:
    try:
        while True:
            if credits_ := await browser.credits():
                async with asyncio.timeout(STALLED_SECONDS):
                    await socket.send_text(json.dumps({"ready": credits_}))
            await asyncio.sleep(CREDIT_SECONDS)
    except WebSocketDisconnect:
        return
    except TimeoutError:
        logger.info("a browser's camera that stopped reading was let go")


async def _close(socket: WebSocket, error: ApiError, code: int) -> None:
    try:
        async with asyncio.timeout(STALLED_SECONDS):
            await socket.send_text(json.dumps({"error": {"code": error.code, "message": error.message}}))
            await socket.close(code, error.code)
    except (WebSocketDisconnect, TimeoutError):
        return  # it left before it could be told
