"""`/ws/emotions`: a hello, then arrays of events."""

import asyncio

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from api_gateway import events
from api_gateway.hub import Client
from api_gateway.routes.asked import AskedGateway

router = APIRouter()
logger = structlog.get_logger()
STALLED_SECONDS = 7.0
"""A client that takes nothing for so long is dropped."""


@router.websocket("/ws/emotions")
async def emotions(socket: WebSocket, gateway: AskedGateway) -> None:
    """Events until the client leaves or stops to read."""
    await socket.accept()
    client = Client()
    states = tuple(events.State.tell(status) for status in gateway.registry.sources())
    hello = events.Hello(sources=states, episodes=(), stats=gateway.stats.event()).model_dump_json()
    gateway.hub.clients.add(client)
    tasks = {asyncio.create_task(_send(socket, client, hello)), asyncio.create_task(_until_gone(socket))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gateway.hub.clients.discard(client)
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


async def _send(socket: WebSocket, client: Client, hello: str) -> None:
    message = hello
    try:
        while True:
            async with asyncio.timeout(STALLED_SECONDS):
                await socket.send_text(message)
            message = await client.next()
    except TimeoutError:
        logger.info("a client that stopped reading was dropped")
    except WebSocketDisconnect:
        return


async def _until_gone(socket: WebSocket) -> None:
    """Clients have nothing to say yet, but only reading tells that one has left."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
