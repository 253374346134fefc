"""`/ws/emotions` of a real gateway, with clients good and bad."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.messages import Reading
from contract.model.labels import LONGEST_LABEL, MOST_LABELS
from contract.redis.broker import Clients
from tests.stage import LABELS, GatewayProcess, Producer, reading, until
from tests.viewer import events_of


def test_a_websocket_client_receives_a_hello_and_then_arrays_of_events(gateway: GatewayProcess, producer: Producer):
    with connect_socket(gateway.socket_url) as client:
        hello = json.loads(client.recv(timeout=10))
        assert (hello["type"], hello["v"]) == ("hello", 2)
        assert [source["source"] for source in hello["sources"]] == ["front", "uploads"]
        one = next(events_of(client, "reading"))
        assert one["source"] == "front"
        assert set(one["probabilities"]) == set(LABELS)
        assert 0 <= one["age_ms"] < 5000
        stats = next(events_of(client, "stats"))
        assert (stats["workers"], stats["redis"], stats["saving"]["on"]) == (1, True, True)
        producer.state, producer.reason = "OFFLINE", "unplugged"
        state = next(events_of(client, "state"))
        assert (state["source"], state["state"], state["reason"]) == ("front", "OFFLINE", "unplugged")


def test_readings_that_are_stored_twice_are_published_once(gateway: GatewayProcess, producer: Producer):
    producer.repeats = True
    with connect_socket(gateway.socket_url) as client:
        seen = [(e["frame"], e["face"]) for e, _ in zip(events_of(client, "reading"), range(60), strict=False)]
    assert len(seen) == len(set(seen)) == 60


def test_a_websocket_from_another_site_is_refused(gateway: GatewayProcess):
    for origin in ("http://evil.example", "null", f"http://localhost:{gateway.port}"):
        with pytest.raises(InvalidStatus) as refused, connect_socket(gateway.socket_url, origin=origin):
            pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body)["error"]["code"] == "foreign_origin"
    with connect_socket(gateway.socket_url, origin=gateway.url) as client:
        assert json.loads(client.recv(timeout=10))["type"] == "hello"


def test_a_client_that_stops_reading_receives_a_missed_event_or_is_disconnected_and_others_continue(
    gateway: GatewayProcess,
):
    port = gateway.port
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    stalled.connect(("127.0.0.1", port))
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    head = b"GET /ws/emotions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" % port
    stalled.sendall(head + key + b"\r\n")
    with connect_socket(gateway.socket_url) as client:
        until(lambda: "websocket_clients 2.0" in gateway.get("/metrics").text, what="both clients")
        # Its buffers take a while to fill; from then on it has seconds.
        deadline = time.monotonic() + 60
        while "websocket_clients 2.0" in gateway.get("/metrics").text:
            assert time.monotonic() < deadline, "the stalled client was not dropped"
            next(events_of(client, "reading"))
        assert next(events_of(client, "reading"))["source"] == "front"
    stalled.close()


def wide_readings(first: int, count: int) -> Iterator[Reading]:
    """Readings of a model with the most and the longest labels, so that buffers fill soon."""
    labels = tuple(f"emotion-{number:03}-".ljust(LONGEST_LABEL, "x") for number in range(MOST_LABELS))
    probabilities = (1 / len(labels),) * len(labels)
    for frame in range(first, first + count):
        yield replace(reading("front", frame, epoch="wide"), labels=labels, probabilities=probabilities)


@pytest.mark.alone
def test_a_slow_client_receives_the_number_of_events_it_missed(gateway: GatewayProcess, clients: Clients):
    sent = 0

    def lost_one() -> bool:
        nonlocal sent
        pipeline = clients.commands.pipeline(transaction=False)
        for one in wide_readings(sent, 50):
            pipeline.xadd(keys.results("front"), dict(one.fields()))
        pipeline.execute()
        sent += 50
        return "missed_events_total 0.0" not in gateway.get("/metrics").text

    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    narrow.connect(("127.0.0.1", gateway.port))
    with connect_socket(
        gateway.socket_url, sock=narrow, max_queue=2, max_size=None, compression=None, close_timeout=1
    ) as client:
        until(lost_one, 60, "the first lost event")
        assert next(events_of(client, "missed", 30))["count"] > 0
        assert next(events_of(client, "reading"))["emotion"]
