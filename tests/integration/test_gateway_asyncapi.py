"""Messages of a running gateway against the document that it serves."""

import json
import time
from itertools import count
from typing import Any

import pytest
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.described import Described
from tests.inference import add, announce, crop, frame_done, working
from tests.stage import GatewayProcess, Producer


def checked_until(described: Described, client: ClientConnection, kinds: set[str], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not kinds <= described.seen:
        assert time.monotonic() < deadline, f"never came: {kinds - described.seen}"
        described.check(client.recv(timeout=deadline - time.monotonic()))


def readings_of(described: Described, client: ClientConnection, seconds: float) -> list[dict[str, Any]]:
    """The readings of the first message that has some; none after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = described.check(client.recv(timeout=left))
        except TimeoutError:
            break
        if found := [event for event in message if event["kind"] == "reading"]:
            return found
    return []


@pytest.mark.alone
def test_every_message_of_a_gateway_matches_its_document(gateway: GatewayProcess, producer: Producer, clients: Clients):
    described = Described(gateway.get("/asyncapi.json").json())
    with connect_socket(gateway.socket_url) as client:
        hello = described.check(client.recv(timeout=10))
        assert hello["v"] == 2
        assert {one["emotion"] for one in hello["episodes"]} <= {"happy", "sad"}
        checked_until(described, client, {"hello", "reading", "episode", "stats"})
        producer.state, producer.reason = "OFFLINE", "unplugged"
        client.send("no subscription")
        checked_until(described, client, {"state", "refused"})
        client.send(json.dumps({"subscribe": {"kinds": ["state"]}}))
        checked_until(described, client, {"heartbeat"})
        producer.stop()
        clients.commands.hdel(keys.SOURCES, producer.source)
        checked_until(described, client, {"gone"})


@pytest.mark.alone
def test_readings_that_a_worker_committed_match_the_document_and_contain_the_stages_of_their_latency(
    gateway: GatewayProcess, server: PrivateServer, clients: Clients
):
    described = Described(gateway.get("/asyncapi.json").json())
    redis, readings = clients.commands, []
    announce(redis, "door", "camera")
    with connect_socket(f"{gateway.socket_url}?source=door&kind=reading") as client, working(server.url):
        assert described.check(client.recv(timeout=10))["type"] == "hello"
        deadline = time.monotonic() + 30
        for frame in count():
            if len(readings) >= 5 and any(one["stale"] for one in readings):
                break
            assert time.monotonic() < deadline, f"only {len(readings)} readings came"
            seconds, microseconds = redis.time()
            now_ms = seconds * 1000 + microseconds // 1000
            deadline_ms = now_ms + (60_000 if frame % 3 else -1)
            one = crop("door", frame, captured_ms=now_ms - 30, deadline_ms=deadline_ms)
            add(redis, "door", one, frame_done("door", frame), register=False)
            readings += readings_of(described, client, 0.5)
    for one in readings:
        if one["stale"]:
            assert one["stages"] is None
        else:
            assert one["emotion"] == "uncertain"
            assert one["stages"]["detect_ms"] >= 30
            assert abs(sum(one["stages"].values()) - one["age_ms"]) <= 1
