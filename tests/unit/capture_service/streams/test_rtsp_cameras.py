"""Cameras over RTSP: over TCP, over UDP where they refuse TCP or are silent, and failures with their reasons."""

import socket
from dataclasses import replace

import pytest

from capture_service.streams.camera import StreamCamera
from capture_service.streams.rtsp_stream import RtspTransport
from contract.errors import SourceError
from tests.cameras import stream
from tests.rtsp_server import RtspServer, rtsp_server


def camera(server: RtspServer, transport: RtspTransport | None = None, **options: object) -> StreamCamera:
    opened = stream(server.port, "rtsp", **options)
    opened._transport = transport or RtspTransport()
    return opened


def first_shape(opened: StreamCamera) -> tuple[int, ...]:
    opened.open()
    try:
        return opened.read().picture.shape
    finally:
        opened.close()


@pytest.mark.parametrize("added", [True, False])
@pytest.mark.parametrize("supported", ["tcp", "udp"])
def test_a_camera_that_supports_one_transport_is_opened_over_it_and_at_once_the_next_time(supported: str, added: bool):
    transport = RtspTransport()
    with rtsp_server(transports=(supported,)) as server:
        assert first_shape(camera(server, transport, added=added)) == (120, 160, 3)
        assert transport.first == supported
        attempts = len(server.methods("SETUP"))
        assert first_shape(camera(server, transport, added=added)) == (120, 160, 3)
        assert len(server.methods("SETUP")) == attempts + 1


def test_a_camera_of_both_transports_is_opened_over_tcp():
    with rtsp_server() as server:
        assert first_shape(camera(server)) == (120, 160, 3)
        assert server.methods("SETUP", "PLAY") == ["SETUP", "PLAY"]
        assert server.sent_over == {"tcp"}


def test_a_camera_that_is_silent_over_tcp_is_opened_over_udp_the_next_time():
    transport = RtspTransport()
    with rtsp_server(silent_over=("tcp",)) as server:
        silent = camera(server, transport, open_timeout="1s", stall_timeout="500ms")
        silent.open()
        with pytest.raises(SourceError, match="sends no more frames: the camera does not respond in time"):
            silent.read()
        silent.close()
        assert first_shape(camera(server, transport)) == (120, 160, 3)
        assert server.sent_over == {"udp"}


REASONS = {
    400: "does not understand the request",
    401: r"refuses the user or password, or needs one \(401\)",
    403: r"forbids the access \(403\)",
    404: r"has nothing at this path \(404\)",
    454: "refuses the request",
    503: "reports an error of its own",
}


@pytest.mark.parametrize("status", REASONS)
def test_a_camera_that_refuses_has_its_reason(status: int):
    reason = pytest.raises(SourceError, match=rf"^cannot open rtsp://127.*: the camera {REASONS[status]}")
    with rtsp_server(describe=status) as server, reason as refused:
        camera(server, user="us:hunter2@").open()
    assert "hunter2" not in str(refused.value)


def test_a_camera_without_a_usable_transport_says_so():
    reason = pytest.raises(SourceError, match=r"supports neither TCP nor UDP for its stream \(461\)")
    with rtsp_server(transports=()) as server, reason:
        camera(server).open()


def test_a_host_that_is_silent_refuses_or_is_unknown_has_its_reason():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SourceError, match="does not respond in time"):
            stream(port, "rtsp", open_timeout="300ms").open()
    with pytest.raises(SourceError, match="the host refuses the connection"):
        stream(port, "rtsp").open()
    for host in ("nowhere.invalid", "no..where", "a" * 64):
        unknown = stream(1, "rtsp")
        unknown._spec = replace(unknown._spec, address=f"rtsp://{host}/live")
        with pytest.raises(SourceError, match="there is no host of this name"):
            unknown.open()


def test_a_camera_that_stops_sending_has_its_reason():
    with rtsp_server(most_frames=20) as server:
        opened = camera(server, stall_timeout="500ms")
        opened.open()
        with pytest.raises(SourceError, match="sends no more frames: the camera does not respond in time"):
            [opened.read() for _ in range(40)]
        opened.close()
