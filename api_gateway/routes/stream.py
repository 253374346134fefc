"""`/ws/emotions`: a hello, then arrays of events; and `/asyncapi.json`, which describes them."""

import asyncio
from typing import Any

import structlog
from fastapi import APIRouter, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from api_gateway.gateway import Gateway
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.security.access import SourceViewer
from api_gateway.security.tokens import Grant
from api_gateway.websocket import asyncapi
from api_gateway.websocket.client import Client
from api_gateway.websocket.message import Message
from api_gateway.websocket.protocol import pusher_of
from api_gateway.websocket.subscription import EVERYTHING, SubscribeMessage, Subscription, SubscriptionError
from contract import events

router = APIRouter()
logger = structlog.get_logger()
CLOSED_BY_SERVER = "after sending 'websocket.close'"
"""What uvicorn says, without a class for it, where it has let a client go that broke the protocol."""
STALLED_SECONDS = 7.0
"""A client that takes nothing for so long is dropped."""
EXAMPLE = {"asyncapi": "3.0.0", "info": {"title": "Emotii", "version": "0.1.0"}, "channels": {"emotions": {}}}


@router.get(
    "/asyncapi.json",
    tags=["stream"],
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}},
)
async def described(request: Request, _: SourceViewer) -> dict[str, Any]:
    """The AsyncAPI document of `/ws/emotions`."""
    secure = request.url.scheme == "https"
    return asyncapi.document(request.app.version, request.url.netloc, secure=secure)


@router.websocket("/ws/emotions")
async def emotions(socket: WebSocket, gateway: AskedGateway, grant: SourceViewer) -> None:
    """What the client subscribes to, until it leaves or stops to read."""
    await socket.accept()
    client, hello = Client(pusher_of(socket.scope)), _hello(gateway, grant)
    gateway.hub.subscribe(client, _asked_in_address(socket, client).within(grant.sources))
    tasks = {
        asyncio.create_task(_send(socket, client, hello)),
        asyncio.create_task(_listen(socket, client, gateway, grant)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gateway.hub.leave(client)
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


def _hello(gateway: Gateway, grant: Grant) -> str:
    states = tuple(events.State.from_status(status) for status in gateway.registry.sources() if grant.sees(status.name))
    episodes = tuple(episode for episode in gateway.processor.running() if grant.sees(episode.source))
    stats = gateway.stats.event()
    seen = {name: figures for name, figures in stats.sources.items() if grant.sees(name)}
    told = stats.model_copy(update={"sources": seen})
    return events.Hello(sources=states, episodes=episodes, stats=told).model_dump_json()


def _asked_in_address(socket: WebSocket, client: Client) -> Subscription:
    try:
        return Subscription.of_query(socket.query_params)
    except SubscriptionError as error:
        _refuse(client, error)
        return EVERYTHING


def _refuse(client: Client, error: SubscriptionError) -> None:
    client.put(Message(f"[{events.Refused(message=str(error)).model_dump_json()}]", 1))


async def _send(socket: WebSocket, client: Client, hello: str) -> None:
    """Send the hello, and then whatever cannot be pushed."""
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
    except RuntimeError as error:
        if CLOSED_BY_SERVER not in str(error):
            raise


async def _listen(socket: WebSocket, client: Client, gateway: Gateway, grant: Grant) -> None:
    """Take subscriptions until the client leaves."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        try:
            gateway.hub.subscribe(client, SubscribeMessage.read(message.get("text") or "").within(grant.sources))
        except SubscriptionError as error:
            _refuse(client, error)
