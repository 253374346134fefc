"""A simple gateway: it calls `send_json` for each event and client, and encodes each frame for each viewer.

    python -m benchmarks.comparisons.naive_gateway

It follows one source and has no ordering, smoothing, history or health report.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from api_gateway.video.mjpeg import MEDIA_TYPE
from benchmarks.testbed.reading_generator import SOURCE
from contract import events, keys
from contract.messages import FrameHeader, Reading, read_outcome
from contract.redis.broker import AsyncClients, connect_async
from rendering import images, overlay


class NaiveGateway:
    """The application and its clients."""

    def __init__(self, clients: AsyncClients) -> None:
        self._clients = clients
        self._sockets: set[WebSocket] = set()
        self.app: FastAPI = FastAPI(lifespan=self._lifespan)
        self.app.add_api_route("/healthz", lambda: "ok")
        self.app.add_api_route("/video_feed", self._video, response_model=None)
        self.app.add_api_websocket_route("/ws/emotions", self._emotions)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        forwarding = asyncio.create_task(self._forward())
        yield
        forwarding.cancel()

    async def _forward(self) -> None:
        last: Any = "$"
        while True:
            reply: Any = await self._clients.blocking.xread({keys.results(SOURCE): last}, block=500)
            for _, entries in reply or ():
                for entry, fields in entries:
                    last = entry
                    if isinstance(outcome := read_outcome(fields), Reading):
                        await self._send_all(outcome)

    async def _send_all(self, reading: Reading) -> None:
        event = events.Reading.from_message(reading, None, 0, None).model_dump(mode="json")
        for socket in list(self._sockets):
            try:
                await socket.send_json(event)
            except WebSocketDisconnect:
                self._sockets.discard(socket)

    async def _emotions(self, socket: WebSocket) -> None:
        await socket.accept()
        self._sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            self._sockets.discard(socket)

    async def _video(self) -> StreamingResponse:
        return StreamingResponse(watched(self._clients), media_type=MEDIA_TYPE)


async def watched(clients: AsyncClients) -> AsyncIterator[bytes]:
    """The stream of one viewer: decoded, drawn and encoded for it alone."""
    async with clients.blocking.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(keys.frames(SOURCE))
        while True:
            if (message := await channel.get_message(timeout=1)) is None:
                continue
            header, jpeg = FrameHeader.decode(message["data"])
            picture = images.decode(jpeg)
            overlay.draw(picture, [overlay.BoxLabel(face.box, "happiness", 90.0) for face in header.faces])
            body = images.encode(picture, 85)
            yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(body), body)


if __name__ == "__main__":
    uvicorn.run(
        NaiveGateway(connect_async(os.environ["EMOTII_REDIS_URL"], "naive")).app,
        host="127.0.0.1",
        port=int(os.environ["EMOTII_PORT"]),
        log_level="warning",
        access_log=False,
    )
