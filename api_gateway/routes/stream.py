"""`/ws/emotions`: a hello, then arrays of events; and `/asyncapi.json`, which describes them."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, WebSocket

from api_gateway.results.processor import ResultProcessor
from api_gateway.routes.dependencies import HubDep, RegistryDep, ResultProcessorDep, StatsDep
from api_gateway.security.access import SourceViewer
from api_gateway.security.tokens import Grant
from api_gateway.sources.registry import Registry
from api_gateway.stats import Stats
from api_gateway.websocket import asyncapi
from api_gateway.websocket.client import Client, Message
from api_gateway.websocket.hub import Hub
from api_gateway.websocket.protocol import push_of
from api_gateway.websocket.sender import ClientGone, Sender
from api_gateway.websocket.subscription import EVERYTHING, SubscribeMessage, Subscription, SubscriptionError
from contract import events

router = APIRouter()
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
async def emotions(
    socket: WebSocket,
    hub: HubDep,
    registry: RegistryDep,
    processor: ResultProcessorDep,
    stats: StatsDep,
    grant: SourceViewer,
) -> None:
    """Send the events that the client subscribes to, until it leaves or stops reading."""
    await socket.accept()
    client, hello = Client(push_of(socket.scope)), _hello(registry, processor, stats, grant)
    hub.subscribe(client, _subscription_in_url(socket, client).within(grant.sources))
    tasks = {
        asyncio.create_task(_send(Sender(socket), client, hello)),
        asyncio.create_task(_receive(socket, client, hub, grant)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(client)
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


def _hello(registry: Registry, processor: ResultProcessor, stats: Stats, grant: Grant) -> str:
    states = tuple(events.State.from_status(status) for status in registry.sources() if grant.sees(status.name))
    episodes = tuple(episode for episode in processor.running() if grant.sees(episode.source))
    current = stats.event()
    visible = {name: figures for name, figures in current.sources.items() if grant.sees(name)}
    seen = current.model_copy(update={"sources": visible})
    return events.Hello(sources=states, episodes=episodes, stats=seen).model_dump_json()


def _subscription_in_url(socket: WebSocket, client: Client) -> Subscription:
    try:
        return Subscription.of_query(socket.query_params)
    except SubscriptionError as error:
        _refuse(client, error)
        return EVERYTHING


def _refuse(client: Client, error: SubscriptionError) -> None:
    client.put(Message(f"[{events.Refused(message=str(error)).model_dump_json()}]", 1))


async def _send(sender: Sender, client: Client, hello: str) -> None:
    """Send the hello, then every message that could not be pushed."""
    message = hello
    try:
        while True:
            await sender.send(message)
            message = await client.next()
    except ClientGone:
        return


async def _receive(socket: WebSocket, client: Client, hub: Hub, grant: Grant) -> None:
    """Receive subscriptions until the client leaves."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        try:
            hub.subscribe(client, SubscribeMessage.read(message.get("text") or "").within(grant.sources))
        except SubscriptionError as error:
            _refuse(client, error)
