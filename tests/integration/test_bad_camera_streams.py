"""What answers at the address of an added camera, and where that may not lead: real FFmpeg, real sockets."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture_service.settings import CaptureSettings
from capture_service.sources.container import open_file
from capture_service.sources.spec import SourceSpec
from capture_service.streams.camera import StreamCamera
from capture_service.streams.connected_peers import ConnectedPeers
from capture_service.streams.frames import StreamFailure
from contract.errors import SourceError
from tests.cameras import MULTIPART, raw_camera, tls
from tests.capture import until
from tests.rtsp_server import rtp_frames, rtsp_server

JPEG = cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()
REDIS = "unix:///nowhere"
STREAM_TYPE = "multipart/x-mixed-replace; boundary=frame"
PART = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(JPEG), JPEG)


@dataclass
class Neighbour:
    """A host that must not be contacted."""

    socket: socket.socket
    requests: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def listen(self) -> None:
        try:
            while True:
                connection, _ = self.socket.accept()
                connection.settimeout(1)
                self.requests.append(connection.recv(100))
                connection.close()
        except OSError:
            return


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    with socket.create_server(("127.0.0.2", 0)) as listening:
        neighbour = Neighbour(listening)
        threading.Thread(target=neighbour.listen, daemon=True).start()
        yield neighbour


@contextmanager
def camera(
    answer: bytes, kind: str = STREAM_TYPE, status: int = 200, **headers: str
) -> Iterator[tuple[int, list[str]]]:
    """An HTTP server with one response to everything: its port, and the host names of the requests."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.headers["Host"])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for _ in range(100 if kind == STREAM_TYPE else 1):
                    self.wfile.write(answer)
                    time.sleep(0.01)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port, requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def bounds(networks: str = "127.0.0.1/32") -> CaptureSettings:
    return CaptureSettings(redis_url=REDIS, open_timeout="1500ms", stall_timeout="1500ms", camera_networks=networks)


def opened(address: str, networks: str = "127.0.0.1/32") -> StreamCamera:
    """An added stream, open."""
    camera = StreamCamera(SourceSpec("door", "stream", address, added=True), bounds(networks))
    camera.open()
    return camera


def opened_file(path: object) -> None:
    open_file(SourceSpec("door", "file", str(path), added=True), bounds()).close()


def named(monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> None:
    """Have the resolver return these addresses for these hosts, one after the other."""
    known = socket.getaddrinfo
    hosts = {name.replace("_", "."): addresses for name, addresses in answers.items()}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: known(hosts[host].pop(0) if host in hosts else host, *a, **k)
    )


def test_an_added_camera_is_opened_under_its_own_name(monkeypatch: pytest.MonkeyPatch):
    named(monkeypatch, front_test=["127.0.0.1"])
    with camera(PART) as (port, requests):
        door = opened(f"http://us%40er:p@ss@front.test:{port}/video")
        picture = door.read().picture
        door.close()
    assert picture is not None
    assert picture.shape == (120, 160, 3)
    assert requests == [f"front.test:{port}"]


def test_text_round_an_address_becomes_no_option_of_ffmpeg(neighbour: Neighbour):
    """Python 3.11 takes `[::1]` for the host, and the text round it once switched redirects and playlists on."""
    with camera(b"", "text/html", 302, Location=f"http://127.0.0.2:{neighbour.port}/x") as (port, requests):
        for text in (f"a|max_redirects;8|x;[::1]:{port}", f"[::1]:{port}|max_redirects;8", "x;[::ffff:127.0.0.1]"):
            with pytest.raises(SourceError, match="no usable host and port"):
                opened(f"http://{text}/r", "127.0.0.1/32,::1/128,::ffff:127.0.0.1/128")
    assert (requests, neighbour.requests) == ([], [])


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2:{port}/x", "http://127.0.0.1:{port}/x", "https://127.0.0.2:{port}/", "rtsp://127.0.0.2:{port}/x",
     "file:///etc/passwd", "concat:/etc/passwd", "tcp://127.0.0.2:{port}", "gopher://127.0.0.2:{port}/_x",
     "//127.0.0.2:{port}/x"],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(neighbour: Neighbour, target: str, status: int):
    with camera(b"", "text/html", status, Location=target.format(port=neighbour.port)) as (port, requests):
        with pytest.raises(SourceError, match=rf"cannot open http://127\.0\.0\.1:{port}/video: .*redirects"):
            opened(f"http://127.0.0.1:{port}/video")
        assert len(requests) == 1
    assert neighbour.requests == []


PLAYLISTS = {
    "m3u8 that names a file": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{file}\n#EXT-X-ENDLIST\n",
    "m3u8 that names a neighbour": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.2:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "m3u8 with a key at a neighbour's": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.2:{port}/k"\n'
    "#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.2:{port}/a.ts\n",
    "m3u8 of m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.2:{port}/b.m3u8\n",
    "ffconcat": "ffconcat version 1.0\nfile '{file}'\nfile http://127.0.0.2:{port}/a.ts\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><BaseURL>'
    "http://127.0.0.2:{port}/</BaseURL></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.2\ns=x\nc=IN IP4 127.0.0.2\nt=0 0\nm=video {port} RTP/AVP 26\n",
    "a reference movie": "RTSPtext\nrtsp://127.0.0.2:{port}/x\n",
    "html": "<html><meta http-equiv=refresh content='0;url=http://127.0.0.2:{port}/'></html>",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["application/vnd.apple.mpegurl", "video/mp4", "application/sdp", "text/plain"])
@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("suffix", [".m3u8", ".mpd", ".mp4", ".sdp"])
def test_no_playlist_is_followed(neighbour: Neighbour, tmp_path: Path, name: str, kind: str, suffix: str):
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(JPEG)
    text = PLAYLISTS[name].format(port=neighbour.port, file=clip).encode()
    with camera(text, kind) as (port, _), pytest.raises(SourceError, match="cannot open"):
        opened(f"http://127.0.0.1:{port}/live{suffix}")
    file = tmp_path / f"list{suffix}"
    file.write_bytes(text)
    with pytest.raises(SourceError, match="cannot open"):
        opened_file(file)
    assert neighbour.requests == []


def test_opening_a_camera_whose_host_never_responds_ends_at_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "rtsp", "https", "rtsps"):
            began = time.monotonic()
            with pytest.raises(SourceError, match="cannot open"):
                opened(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/live")
            assert time.monotonic() - began < 3 * 1.5 + 3


def test_a_file_that_is_not_regular_is_not_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo.mp4")
    (tmp_path / "img_01.jpg").write_bytes(JPEG)
    (tmp_path / "link.mp4").symlink_to("/dev/zero")
    for path, words in (
        ("/dev/zero", "not a regular file"),
        ("/dev/video0", "not a regular file|no such file"),
        (tmp_path / "fifo.mp4", "not a regular file"),
        (tmp_path / "link.mp4", "not a regular file"),
        (tmp_path, "not a regular file"),
        (tmp_path / "img_%02d.jpg", "no such file"),
        (f"{tmp_path}/img_01.jpg|{tmp_path}/img_01.jpg", "no such file"),
        ("/etc/passwd", "cannot open"),
        ("/proc/self/environ", "cannot open"),
    ):
        with pytest.raises(SourceError, match=words):
            opened_file(path)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost.localdomain.invalid", "[::1]", "10.0.0.1", "169.254.169.254"])
def test_a_host_that_is_not_allowed_is_not_contacted(host: str):
    with pytest.raises(SourceError, match=r"this machine|no host|not public|link-local"):
        opened(f"http://{host}:9/video")


def test_the_resolver_is_queried_once(monkeypatch: pytest.MonkeyPatch):
    """A name that means another host the next time (DNS rebinding) is not resolved again."""
    named(monkeypatch, cam_example=["127.0.0.1", "127.0.0.1"])
    with rtsp_server() as server:
        opened(f"rtsp://us%40er:p%2Fss@cam.example:{server.port}/live?x=1").close()
        assert server.requests[0] == f"OPTIONS rtsp://127.0.0.1:{server.port}/live?x=1 RTSP/1.0"
    with camera(PART) as (port, requests):
        opened(f"http://cam.example:{port}/live").close()
        assert requests == [f"cam.example:{port}"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_an_encrypted_stream_is_read_from_the_checked_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    named(monkeypatch, cam_example=["127.0.0.1", "127.0.0.1"])
    asked: list[str | None] = []
    context = tls(tmp_path, asked)
    with rtsp_server(tls=context) as server:
        door = opened(f"rtsps://cam.example:{server.port}/live")
        assert door.read().picture is not None
        door.close()
        assert server.requests[0].startswith(f"OPTIONS rtsps://127.0.0.1:{server.port}/live")
    with raw_camera([MULTIPART, PART], tls=context) as server:
        door = opened(f"https://cam.example:{server.port}/live")
        assert door.read().picture is not None
        door.close()
    assert asked == [None, "cam.example"]  # FFmpeg knows the address alone


@pytest.mark.parametrize("status", [301, 302, 303, 305, 307])
def test_a_redirect_of_an_rtsp_server_is_not_followed(neighbour: Neighbour, status: int):
    location = f"Location: rtsp://127.0.0.2:{neighbour.port}/x\r\n"
    with rtsp_server(describe=status, headers=location) as server, pytest.raises(SourceError, match="redirects"):
        opened(f"rtsp://127.0.0.1:{server.port}/live")
    assert neighbour.requests == []


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_an_rtsp_server_that_states_another_address_is_asked_itself(neighbour: Neighbour, scheme: str):
    elsewhere = f"{scheme}://127.0.0.2:{neighbour.port}/x/"
    with rtsp_server(headers=f"Content-Base: {elsewhere}\r\n", control=elsewhere) as server:
        door = opened(f"rtsp://127.0.0.1:{server.port}/live")
        assert door.read().picture is not None
        door.close()
    assert neighbour.requests == []


def test_an_rtsp_stream_that_comes_from_another_host_is_refused():
    with (
        rtsp_server(transports=("udp",), transport=";source=127.0.0.2") as server,
        pytest.raises(SourceError, match=r"leads to another host \(127\.0\.0\.2\)"),
    ):
        opened(f"rtsp://127.0.0.1:{server.port}/live")


@pytest.mark.parametrize("added", [True, False])
def test_pictures_that_another_host_sends_to_the_port_of_a_stream_are_not_shown(added: bool):
    with rtsp_server(transports=("udp",), silent_over=("udp",)) as server, ThreadPoolExecutor(1) as executor:
        spec = SourceSpec("door", "stream", f"rtsp://127.0.0.1:{server.port}/live", added=added)
        door = StreamCamera(spec, bounds())

        def seen() -> object:
            door.open()
            return door.read().picture

        watching = executor.submit(seen)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as impostor:
            impostor.bind(("127.0.0.2", 0))
            until(lambda: server.client_ports, 10)
            sent = 0
            for packets in takewhile(lambda _: not watching.done(), rtp_frames()):
                for packet in packets:
                    impostor.sendto(packet, ("127.0.0.1", server.client_ports[-1]))
                sent += 1
                time.sleep(0.02)
        assert sent > 20
        with pytest.raises(SourceError, match="does not respond in time"):
            watching.result()
        door.close()


def test_a_session_description_over_http_opens_no_port_and_joins_no_group():
    """Whoever sent pictures to that port would be shown as the camera."""
    text = "v=0\r\no=- 0 0 IN IP4 239.1.2.3\r\ns=x\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=video {port} RTP/AVP 26\r\n"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        wanted = free.getsockname()[1]
    for host in ("127.0.0.1", "239.1.2.3/1"):
        for kind in ("application/sdp", "video/mp4", "text/plain", "application/octet-stream"):
            for added in (True, False):
                body = text.format(host=host, port=wanted).encode()
                with camera(body, kind, **{"Content-Length": str(len(body))}) as (port, _):
                    spec = SourceSpec("door", "stream", f"http://127.0.0.1:{port}/live.sdp", added=added)
                    with pytest.raises(SourceError, match=r"sends a description of a session \(SDP\)"):
                        StreamCamera(spec, bounds()).open()
    assert "030201EF" not in Path("/proc/net/igmp").read_text()  # 239.1.2.3


def test_a_connection_to_another_host_is_detected_and_refused(neighbour: Neighbour):
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("127.0.0.3", 0)) as redis:
        with socket.create_connection(("127.0.0.2", neighbour.port)) as before:
            watched = ConnectedPeers(
                [ip_address("::ffff:127.0.0.1")], {(ip_address("127.0.0.3"), redis.getsockname()[1])}
            )
            with socket.create_connection(own.getsockname()), socket.create_connection(redis.getsockname()):
                watched.check()
            assert before.getpeername()[0] == "127.0.0.2"
        with (
            socket.create_connection(("127.0.0.2", neighbour.port)),
            pytest.raises(StreamFailure, match=r"leads to another host \(127\.0\.0\.2\)"),
        ):
            watched.check()
