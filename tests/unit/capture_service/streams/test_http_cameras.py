"""Cameras over HTTP as they are: odd boundaries, no content type, single pictures, and failures with their reasons."""

import hashlib
import io
import re
import socket
import threading
import time
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from capture_service.streams.camera import StreamCamera
from contract.errors import SourceError
from tests.cameras import MULTIPART, part, picture, raw_camera, stream
from tests.unit.rendering.test_images import with_scans

FIRST, SECOND, THIRD = picture(60), picture(120), picture(180)
THREE = (FIRST, SECOND, THIRD)
PLAIN = b"HTTP/1.0 200 OK\r\n\r\n"


def shades(camera: StreamCamera, count: int = 3) -> list[int | None]:
    """The mean of each frame, rounded to tens; None for a frame without a picture."""
    camera.open()
    try:
        frames = [camera.read() for _ in range(count)]
    finally:
        camera.close()
    return [None if one.picture is None else round(float(one.picture.mean()) / 10) * 10 for one in frames]


def typed(kind: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n" % kind


DIALECTS = {
    "as the standard has it": [MULTIPART, *map(part, THREE)],
    "no content type": [PLAIN, *map(part, THREE)],
    "the type of a page": [typed(b"text/html"), *map(part, THREE)],
    "the type of bytes": [typed(b"application/octet-stream"), *map(part, THREE)],
    "no first boundary": [MULTIPART, *(part(one).partition(b"\r\n")[2] + b"--frame\r\n" for one in THREE)],
    "neither first boundary nor content type": [
        PLAIN, *(b"Content-Type: image/jpeg\r\n\r\n" + one + b"\r\n--x\r\n" for one in THREE)
    ],
    "another boundary": [MULTIPART, *(part(one, b"other") for one in THREE)],
    "a boundary with dashes in the type": [
        typed(b"multipart/x-mixed-replace;boundary=--frame"), *(part(one, b"frame") for one in THREE)
    ],
    "a boundary with more dashes": [MULTIPART, *(part(one, b"--frame") for one in THREE)],
    "a boundary in quotes": [typed(b'multipart/x-mixed-replace; boundary="frame"'), *map(part, THREE)],
    "no boundary stated": [typed(b"multipart/x-mixed-replace"), *map(part, THREE)],
    "no boundaries": [MULTIPART, *THREE],
    "no length": [MULTIPART, *(re.sub(rb"Content-Length: \d+\r\n", b"", part(one)) for one in THREE)],
    "a wrong length": [MULTIPART, *(re.sub(rb"Length: \d+", b"Length: 7", part(one)) for one in THREE)],
    "a length that is too large": [MULTIPART, *(re.sub(rb"Length: \d+", b"Length: 99999", part(one)) for one in THREE)],
    "bare line feeds": [MULTIPART, *(part(one).replace(b"\r\n", b"\n", 4) for one in THREE)],
    "no line end behind a picture": [MULTIPART, *(part(one)[:-2] for one in THREE)],
    "no header of a part": [MULTIPART, *(b"--frame\r\n\r\n" + one + b"\r\n" for one in THREE)],
    "padding behind a picture": [MULTIPART, *(part(one + bytes(300)) for one in THREE)],
    "rubbish before the first picture": [MULTIPART, b"\0\1\2 rubbish \xff\xd8 \xff", *map(part, THREE)],
    "text between the pictures": [
        MULTIPART, *(b"--frame\r\nContent-Type: text/plain\r\n\r\nhello\r\n" + part(one) for one in THREE)
    ],
    "pictures one after the other": [typed(b"image/jpeg"), *THREE],
    "a picture byte by byte": [MULTIPART, *(bytes([byte]) for byte in part(picture(60, (32, 24))))],
    "in chunks": [
        MULTIPART.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        *(b"%x\r\n%s\r\n" % (len(piece), piece) for one in THREE for piece in (part(one)[:50], part(one)[50:])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_motion_jpeg_is_read_as_leniently_as_browsers_read_it(dialect: str):
    count = 1 if dialect == "a picture byte by byte" else 3
    with raw_camera(DIALECTS[dialect], pause=0 if count == 1 else 0.01) as camera:
        assert shades(stream(camera.port), count) == [60, 120, 180][:count]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("boundary", [True, False], ids=["with a boundary", "without one"])
def test_a_picture_that_is_cut_off_takes_nothing_from_the_next_one(share: float, boundary: bool):
    cut = SECOND[: round(len(SECOND) * share)]
    pieces = [part(one) if boundary else one for one in (FIRST, cut, THIRD, FIRST)]
    with raw_camera([MULTIPART, *pieces]) as camera:
        seen = shades(stream(camera.port), 3)
    assert seen[0] == 60
    assert seen in ([60, None, 180], [60, None, 60], [60, 180, 60])
    if boundary:
        assert seen == [60, None, 180]


def test_pictures_of_another_size_have_the_size_of_the_first():
    with raw_camera([MULTIPART, part(FIRST), part(picture(120, (80, 60)))]) as camera:
        opened = stream(camera.port)
        opened.open()
        sizes = [opened.read().picture.shape for _ in range(2)]
        opened.close()
    assert sizes == [(120, 160, 3)] * 2


def test_a_jpeg_of_thousands_of_scans_is_an_unreadable_frame():
    with raw_camera([MULTIPART, part(FIRST), part(with_scans(14_000)), part(THIRD)]) as camera:
        assert shades(stream(camera.port)) == [60, None, 180]


def snapshot(encoded: bytes, kind: bytes = b"image/jpeg", length: bool = True) -> list[bytes]:
    stated = b"Content-Length: %d\r\n" % len(encoded) if length else b""
    return [b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sConnection: close\r\n\r\n" % (kind, stated), encoded]


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp", "application/octet-stream"])
def test_a_camera_that_answers_with_one_picture_is_polled(kind: str, length: bool):
    def encoded(jpeg: bytes) -> bytes:
        suffix = {"image/png": ".png", "image/webp": ".webp"}.get(kind, ".jpg")
        return cv2.imencode(suffix, cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))[1].tobytes()

    with raw_camera(*(snapshot(encoded(one), kind.encode(), length) for one in THREE)) as camera:
        opened = stream(camera.port)
        assert shades(opened) == [60, 120, 180]
        opened.open()
        assert opened.polled
        opened.close()
        assert len(camera.requests) == 4


def test_a_polled_camera_may_fail_once_and_a_second_failure_has_its_reason():
    busy = [b"HTTP/1.1 503 x\r\n\r\n"]
    with raw_camera(snapshot(FIRST), busy, snapshot(SECOND), busy, busy) as camera:
        opened = stream(camera.port)
        opened.open()
        assert [opened.read().picture is not None for _ in range(4)] == [True, False, True, False]
        with pytest.raises(SourceError, match=r"sends no more frames: the camera is busy, .* \(503\)"):
            opened.read()


def test_a_polled_camera_keeps_its_connection_where_it_can():
    accepted = []

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        accepted.append(connection)
        with connection:
            while connection.recv(4000):
                connection.sendall(snapshot(FIRST)[0].replace(b"Connection: close\r\n", b"") + FIRST)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server], daemon=True)
        thread.start()
        assert shades(stream(server.getsockname()[1]), 5) == [60] * 5
        thread.join(10)
    assert len(accepted) == 1


def container(form: str, options: dict[str, str]) -> bytes:
    """Fifty frames of one shade each, as H.264 in this container."""
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options) as written:
        video = written.add_stream("libx264", rate=25, options={"x264-params": "keyint=5", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for number in range(50):
            shade = np.full((120, 160, 3), 40 + 10 * (number % 15), np.uint8)
            written.mux(video.encode(av.VideoFrame.from_ndarray(shade, format="bgr24")))
        written.mux(video.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("form", ["matroska", "mp4"])
def test_a_video_of_an_unknown_or_encrypted_format_is_refused_with_the_reason(form: str):
    video = container(form, {"movflags": "frag_keyframe+empty_moov"} if form == "mp4" else {})
    changed = video.replace(b"avc1", b"encv").replace(b"V_MPEG4/ISO/AVC", b"V_OTHER/ISO/AVC")
    assert changed != video
    with raw_camera([typed(b"video/mp4"), changed]) as camera:
        opened = stream(camera.port)
        with pytest.raises(SourceError, match="its video is encrypted, or in a format that cannot be decoded"):
            opened.open()


@pytest.mark.parametrize("form", ["mpegts", "flv", "matroska", "mp4", "avi"])
def test_a_container_is_read_from_the_same_connection(form: str):
    video = container(form, {"movflags": "frag_keyframe+empty_moov"} if form == "mp4" else {})
    pieces = [video[at : at + 4000] for at in range(0, len(video), 4000)]
    with raw_camera([PLAIN, *pieces], pause=0) as camera:
        opened = stream(camera.port, added=True)
        assert shades(opened, 6) == [40, 50, 60, 70, 80, 90]
        assert len(camera.requests) == 1


def test_a_playlist_is_played_in_the_configuration_and_not_where_it_was_added():
    video = container("mpegts", {})

    def reply(request: bytes) -> list[bytes]:
        if b"GET /live " in request:
            text = b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\npart.ts\n#EXT-X-ENDLIST\n"
            return snapshot(text, b"application/vnd.apple.mpegurl")
        return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(video), video)]

    with raw_camera(reply) as camera:
        assert shades(stream(camera.port)) == [40, 50, 60]
        asked = len(camera.requests)
        with pytest.raises(SourceError, match="sends a playlist; only sources in EMOTII_SOURCES may be playlists"):
            stream(camera.port, added=True).open()
        assert len(camera.requests) == asked + 1


def test_an_interlaced_stream_shows_its_own_pixels():
    """OpenCV took a conversion that had failed for a picture, and showed what the memory held before."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as written:
        video = written.add_stream("libx264", rate=25, options={"x264-params": "tff=1:keyint=5", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 160, 128, "yuv420p"
        for number in range(40):
            shade = np.full((128, 160, 3), 40 + 10 * (number % 15), np.uint8)
            written.mux(video.encode(av.VideoFrame.from_ndarray(shade, format="bgr24")))
        written.mux(video.encode(None))
    with raw_camera([PLAIN, file.getvalue()]) as camera:
        opened = stream(camera.port)
        opened.open()
        pictures = [opened.read().picture for _ in range(15)]
        opened.close()
    for number, one in enumerate(pictures):
        assert one is not None
        assert abs(float(one.mean()) - (40 + 10 * number)) < 4
        assert float(one.std()) < 3


BASIC = b'WWW-Authenticate: Basic realm="x"\r\n'
DIGEST = b'WWW-Authenticate: Digest realm="x", nonce="n1", qop="auth", algorithm=MD5\r\n'
SHA_512 = b'WWW-Authenticate: Digest realm="x", nonce="n1", qop="auth", algorithm=SHA-512-256\r\n'
AUTH_INT = DIGEST.replace(b'"auth"', b'"auth-int, auth"')


def guarded(challenges: bytes):
    """Asks for a password as the challenges say, and checks the answer."""

    def reply(request: bytes) -> list[bytes]:
        found = re.search(rb"Authorization: (\w+) (.*)\r\n", request)
        if not found:
            return [b"HTTP/1.1 401 x\r\n", challenges, b"\r\n"]
        if found[1] == b"Basic":
            right = found[2] == b"dXM6cDpAIHM="  # us:p:@ s
        else:
            fields = dict(re.findall(rb'(\w+)="?([^",]*)"?', found[2]))
            hash_of = hashlib.sha256 if b"SHA-256" in challenges else hashlib.md5
            hashed = [hash_of(one).hexdigest().encode() for one in (b"us:x:p:@ s", b"GET:" + fields[b"uri"])]
            middle = b":".join([fields[b"nonce"], fields[b"nc"], fields[b"cnonce"], fields[b"qop"]])
            right = hash_of(b":".join([hashed[0], middle, hashed[1]])).hexdigest().encode() == fields[b"response"]
        return snapshot(FIRST) if right else [b"HTTP/1.1 401 x\r\n", challenges, b"\r\n"]

    return reply


@pytest.mark.parametrize(
    "challenges", [BASIC, DIGEST, DIGEST.replace(b"MD5", b"SHA-256"), BASIC + DIGEST, SHA_512 + BASIC, AUTH_INT, b""]
)
def test_user_and_password_answer_basic_and_digest(challenges: bytes):
    with raw_camera(guarded(challenges)) as camera:
        assert shades(stream(camera.port, user="us:p%3A%40%20s@")) == [60] * 3
        assert len(camera.requests) == 4  # the challenge is answered once
    with raw_camera(guarded(challenges)) as camera, pytest.raises(SourceError, match=r"\(401\)") as refused:
        stream(camera.port, user="us:wrongword@").open()
    assert "wrongword" not in str(refused.value)


def test_a_polled_camera_may_want_another_nonce_for_each_request():
    used: set[bytes] = set()

    def reply(request: bytes) -> list[bytes]:
        found = re.search(rb'nonce="(\w+)"', request)
        if found and found[1] not in used:
            used.add(found[1])
            return snapshot(FIRST)
        return [b"HTTP/1.1 401 x\r\n", DIGEST.replace(b"n1", b"n%d" % len(used)), b"\r\n"]

    with raw_camera(reply) as camera:
        assert shades(stream(camera.port, user="us:p@"), 5) == [60] * 5


@pytest.mark.parametrize("challenges", [BASIC, DIGEST])
def test_a_password_of_any_characters_is_sent(challenges: bytes):
    def reply(request: bytes) -> list[bytes]:
        return snapshot(FIRST) if b"Authorization" in request else [b"HTTP/1.1 401 x\r\n", challenges, b"\r\n"]

    with raw_camera(reply) as camera:
        assert shades(stream(camera.port, user="日本%22:ключ%E2%82%AC@"), 1) == [60]


def status(number: int, headers: bytes = b"", body: bytes = b"") -> list[bytes]:
    return [b"HTTP/1.1 %d x\r\n%s\r\n%s" % (number, headers, body)]


REASONS = {
    "a redirect": (status(302, b"Location: http://127.0.0.2/\r\n"), r"redirects to another address \(302\)"),
    "401": (status(401, BASIC), r"refuses the user or password, or needs one \(401\)"),
    "401 with half a challenge": (status(401, b'WWW-Authenticate: Digest realm="x", nonce=\r\n'), r"\(401\)"),
    "401 with an unknown protection": (status(401, DIGEST.replace(b'"auth"', b'"auth-int"')), r"\(401\)"),
    "403": (status(403), r"forbids the access \(403\)"),
    "404": (status(404), r"nothing at this path \(404\)"),
    "500": (status(500), r"answers 500 Internal Server Error"),
    "503": (status(503), r"is busy, or has too many viewers \(503\)"),
    "an unknown status": (status(799), r"answers 799"),
    "a page": (status(200, b"Content-Type: text/html\r\n", b"<!doctype html><p>"), r"sends a web page instead"),
    "a page without a type": (status(200, b"", b"\r\n <html>"), r"sends a web page instead of a video"),
    "JSON": (status(200, b"", b'{"error": 1}'), r"sends JSON instead of a video"),
    "text": (status(200, b"Content-Type: text/plain\r\n", b"hello"), r"sends text instead of a video"),
    "a playlist": (status(200, b"", b"#EXTM3U\n"), r"sends a playlist; only sources in EMOTII_SOURCES"),
    "a session description": (status(200, b"", b"v=0\r\no=x"), r"sends a description of a session \(SDP\)"),
    "noise": (status(200, b"", bytes(range(1, 200)) * 50), r"no video that can be read"),
    "nothing": (status(200), r"the response is empty"),
    "another protocol": ([b"SSH-2.0-OpenSSH_9.2\r\n"], r"the response is not HTTP"),
    "an endless line": ([b"HTTP/1.1 200 OK\r\nX: ", b"x" * 80_000, b"\r\n\r\n"], r"a line that is too long"),
    "no response": ([b""], r"closed the connection without a response"),
}  # fmt: skip


@pytest.mark.parametrize("failure", REASONS)
def test_a_camera_that_cannot_be_opened_has_its_reason(failure: str):
    reply, reason = REASONS[failure]
    with raw_camera(reply) as camera:
        opened = stream(camera.port, user="us:hunter2@", added=True)
        with pytest.raises(
            SourceError, match=rf"^cannot open http://127\.0\.0\.1:{camera.port}/live: .*{reason}"
        ) as refused:
            opened.open()
    assert "hunter2" not in str(refused.value)


def test_a_host_that_is_silent_refuses_or_is_unknown_has_its_reason():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for scheme in ("http", "https"):
            with pytest.raises(SourceError, match="does not respond in time"):
                stream(port, scheme, open_timeout="300ms").open()
    with pytest.raises(SourceError, match="the host refuses the connection"):
        stream(port).open()
    with raw_camera([b"no TLS"]) as camera, pytest.raises(SourceError, match="TLS fails: "):
        stream(camera.port, "https").open()
    for host in ("nowhere.invalid", "no..where", "a" * 64):
        unknown = stream(1)
        unknown._spec = replace(unknown._spec, address=f"http://{host}/live")
        with pytest.raises(SourceError, match="there is no host of this name"):
            unknown.open()


def test_a_camera_that_drips_bytes_is_given_up_after_the_time_for_a_frame():
    drips = [MULTIPART + part(FIRST), *(bytes([byte]) for byte in b"--frame\r\n" * 1000)]
    with raw_camera(drips) as camera:
        opened = stream(camera.port, stall_timeout="500ms")
        opened.open()
        began = time.monotonic()
        assert opened.read().picture is not None
        with pytest.raises(SourceError, match="does not respond in time"):
            opened.read()
        assert time.monotonic() - began < 3 * 2 * 0.5 + 3


def test_a_picture_without_an_end_takes_no_more_memory_than_a_picture_may_have():
    endless = [MULTIPART, FIRST[:-2], *([b"\0" * 100_000] * 30)]
    with raw_camera(endless, pause=0) as camera:
        opened = stream(camera.port, picture_max_bytes=200_000)
        opened.open()
        frame = opened.read()
        assert frame.picture is None
        assert len(opened._frames._jpegs._buffer) <= 400_000
        opened.close()


def test_a_configured_camera_may_redirect_and_its_password_goes_to_no_other_host():
    with raw_camera([MULTIPART, *map(part, THREE)]) as target:
        to = b"Location: http://127.0.0.1:%d/other\r\n" % target.port
        with raw_camera(status(302, to)) as camera:
            assert shades(stream(camera.port, user="us:hunter2@")) == [60, 120, 180]
        assert b"GET /other " in target.requests[0]
        assert b"Authorization" not in target.requests[0]
    again = status(302, b"Location: /again\r\n")
    with raw_camera(again) as camera, pytest.raises(SourceError, match="redirects more than 5 times"):
        stream(camera.port).open()


def test_a_path_is_sent_as_one_line():
    with raw_camera([MULTIPART, part(FIRST)]) as camera:
        opened = stream(camera.port)
        opened._spec = replace(opened._spec, address=f"http://127.0.0.1:{camera.port}/ä%0d%0aX-Y:1?a=\u2028b#c")
        assert shades(opened, 1) == [60]
    assert camera.requests[0].startswith(b"GET /%C3%A4%0d%0aX-Y:1?a=%E2%80%A8b HTTP/1.1\r\n")
    assert b"X-Y: 1" not in camera.requests[0]
