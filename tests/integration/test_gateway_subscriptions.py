"""Several clients of a running gateway, each with its own subscription."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from emotii.local.redis_server import PrivateServer, find_server
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.viewer import events_of


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One for all tests here: none of them changes anything, and the server's make is of no matter to them."""
    folder = tmp_path_factory.mktemp("stage")
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    back = Producer(server.url, "back", order=1, answers_uploads=False)
    with Producer(server.url), back, gateway_process(server.url, folder / "faces") as gateway:
        until(gateway.ready, 30, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        yield gateway
    server.stop()


def hello_of(client: ClientConnection) -> dict[str, Any]:
    hello: dict[str, Any] = json.loads(client.recv(timeout=10))
    assert hello["type"] == "hello"
    return hello


def received(client: ClientConnection, seconds: float) -> list[dict[str, Any]]:
    """All events of so many seconds."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            found += json.loads(client.recv(timeout=left))
        except TimeoutError:
            break
    return found


def first_of_each(client: ClientConnection, wanted: set[Any], of: str, seconds: float = 20) -> None:
    """Wait until events with all of these values of a field have arrived."""
    deadline = time.monotonic() + seconds
    while wanted:
        assert time.monotonic() < deadline, f"never came: {wanted}"
        wanted = wanted - {event.get(of) for event in json.loads(client.recv(timeout=10))}


@pytest.mark.long
def test_each_client_receives_only_what_it_subscribed_to(gateway: GatewayProcess):
    with (
        connect_socket(gateway.socket_url) as everything,
        connect_socket(f"{gateway.socket_url}?source=back&kind=reading") as back,
        connect_socket(f"{gateway.socket_url}?source=front&track=2&kind=reading&kind=episode") as second,
        connect_socket(f"{gateway.socket_url}?kind=stats") as figures,
    ):
        clients = (everything, back, second, figures)
        for client in clients:
            hello_of(client)
        first_of_each(everything, {"front", "back"}, "source")
        of_all, of_back, of_second, of_figures = (received(client, 3) for client in clients)
    assert {"reading", "episode", "stats"} <= {event["kind"] for event in of_all}
    assert {(event["kind"], event["source"]) for event in of_back if event["kind"] != "heartbeat"} == {
        ("reading", "back")
    }
    assert {(event["kind"], event["source"], event["track"]) for event in of_second} == {
        ("reading", "front", 2),
        ("episode", "front", 2),
    }
    assert {event["kind"] for event in of_figures} <= {"stats", "heartbeat"}


def test_a_rate_limits_only_the_readings_of_each_track(gateway: GatewayProcess):
    with (
        connect_socket(f"{gateway.socket_url}?source=front&kind=reading&kind=stats&rate=2") as slow,
        connect_socket(f"{gateway.socket_url}?source=front&kind=reading") as full,
    ):
        hello_of(slow)
        hello_of(full)
        began = time.monotonic()
        found = [event for event in received(slow, 5) if event["kind"] != "heartbeat"]
        lasted = time.monotonic() - began
        tracks = Counter(event["track"] for event in found if event["kind"] == "reading")
        assert set(tracks) == {1, 2}
        assert all(2 <= count <= 2 * lasted + 2 for count in tracks.values())
        assert any(event["kind"] == "stats" for event in found)
        of_full = Counter(event["track"] for event in received(full, 3) if event["kind"] == "reading")
        assert of_full[1] > tracks[1]


def test_a_subscription_can_be_replaced_at_any_time(gateway: GatewayProcess):
    with connect_socket(f"{gateway.socket_url}?kind=stats") as client:
        hello_of(client)
        client.send(json.dumps({"subscribe": {"kinds": ["reading"], "tracks": [1]}}))
        first_of_each(client, {"reading"}, "kind")
        assert {(event["kind"], event["track"]) for event in received(client, 2)} == {("reading", 1)}
        client.send(json.dumps({"subscribe": {"sources": ["nobody"], "kinds": ["reading"]}}))
        next(events_of(client, "heartbeat"))
        assert {event["kind"] for event in received(client, 2)} == {"heartbeat"}


def test_a_bad_subscription_is_refused_and_the_old_one_stays(gateway: GatewayProcess):
    with connect_socket(f"{gateway.socket_url}?source=front&kind=reading&track=1") as client:
        hello_of(client)
        for message in ('{"subscribe": {"kinds": ["smell"]}}', "nonsense", b"\x00\x01"):
            client.send(message)
            refused = next(events_of(client, "refused"))
            assert refused["code"] == "bad_subscription"
            assert refused["message"]
        assert {(event["kind"], event["track"]) for event in received(client, 2)} == {("reading", 1)}


def test_a_bad_subscription_in_the_address_is_refused_after_the_hello_and_all_events_are_sent(
    gateway: GatewayProcess,
):
    with connect_socket(f"{gateway.socket_url}?kind=smell&rate=-1") as client:
        hello_of(client)
        (refused,) = json.loads(client.recv(timeout=10))
        assert (refused["kind"], refused["code"]) == ("refused", "bad_subscription")
        assert "kinds" in refused["message"]
        first_of_each(client, {"reading", "stats"}, "kind")


def test_a_client_without_events_receives_a_heartbeat_about_once_a_second(gateway: GatewayProcess):
    with connect_socket(f"{gateway.socket_url}?source=nobody&kind=reading") as client:
        now_ms = hello_of(client)["stats"]["now_ms"]
        heartbeats = received(client, 6)
    assert {event["kind"] for event in heartbeats} == {"heartbeat"}
    assert 2 <= len(heartbeats) <= 6
    times = [now_ms, *(event["now_ms"] for event in heartbeats)]
    assert times == sorted(times)


def test_the_hello_contains_the_running_episodes(gateway: GatewayProcess):
    def running() -> set[tuple[int, str]]:
        with connect_socket(gateway.socket_url) as client:
            return {(one["track"], one["emotion"]) for one in hello_of(client)["episodes"] if one["source"] == "front"}

    until(lambda: running() == {(1, "happy"), (2, "sad")}, 20, "the episodes")


def test_the_statistics_contain_the_stages_and_the_number_of_encodings(gateway: GatewayProcess):
    with connect_socket(f"{gateway.socket_url}?kind=stats") as client:
        hello_of(client)
        figures = next(events_of(client, "stats"))
        assert figures["settings"] == {"saving": True, "blur": "off", "saving_allowed": True, "min_blur": "off"}
        assert figures["sources"]["front"]["encodes"] == 0
        with httpx.stream("GET", gateway.url + "/video_feed?source=front", timeout=20):
            until(lambda: next(events_of(client, "stats"))["sources"]["front"]["encodes"] > 0, 20, "an encode")
