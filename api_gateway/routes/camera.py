"""`/ws/camera/{name}`: a browser as a camera. It sends JPEGs and receives credits."""

import asyncio
import json

from fastapi import APIRouter, WebSocket

from api_gateway.errors import describe, error_body
from api_gateway.polling import every
from api_gateway.routes.dependencies import BrowserCameraDep, SettingsDep
from api_gateway.security.access import Operator
from api_gateway.sources.browser_camera import RENEWAL_EVERY, BrowserCamera
from api_gateway.sources.errors import BrowserSilent
from api_gateway.websocket.sender import ClientGone, Sender
from contract.errors import EmotiiError
from contract.redis.broker import outages_named

router = APIRouter()
CREDIT_SECONDS = 0.02
SILENT_SECONDS = 30.0
"""A browser that has credits and sends nothing for this long is disconnected; a hidden page still sends about once a
second."""


@router.websocket("/ws/camera/{name}")
async def camera(socket: WebSocket, browser: BrowserCameraDep, settings: SettingsDep, _: Operator) -> None:
    """Receive pictures until the browser leaves; an error comes as `{"error": {"code", "message"}}`, then closes."""
    await socket.accept()
    sender = Sender(socket)
    try:
        with outages_named():
            try:
                await browser.enter()
                await _serve(socket, sender, browser, settings.camera_frame_limit)
            finally:
                await browser.leave()
    except ClientGone:
        return
    except EmotiiError as error:
        found = describe(error)
        await sender.close(json.dumps(error_body(found.code, found.message)), found.close_code, found.code)


async def _serve(socket: WebSocket, sender: Sender, browser: BrowserCamera, limit: int) -> None:
    tasks = {
        asyncio.create_task(work)
        for work in (
            _receive(socket, browser, limit),
            _send_credits(sender, browser),
            every(RENEWAL_EVERY, browser.renew_name),
        )
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _receive(socket: WebSocket, browser: BrowserCamera, limit: int) -> None:
    """Submit pictures until the browser leaves."""
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await socket.receive()
        except TimeoutError:
            raise BrowserSilent(f"no picture for {SILENT_SECONDS:g} s") from None
        if message["type"] == "websocket.disconnect":
            return
        await browser.submit(message.get("bytes") or b"", limit)


async def _send_credits(sender: Sender, browser: BrowserCamera) -> None:
    while True:
        if new_credits := await browser.new_credits():
            await sender.send(json.dumps({"ready": new_credits}))
        await asyncio.sleep(CREDIT_SECONDS)
