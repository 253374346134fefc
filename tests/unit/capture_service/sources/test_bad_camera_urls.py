"""Addresses of cameras that are added over REST, with their responses. Without Redis an allowed address gets 503."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from fastapi import FastAPI

from api_gateway.app import create_app
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from contract.address import safe_url
from contract.errors import SettingsError, SourceError
from contract.network import StreamRules, UnknownHost
from contract.service.settings import load
from contract.stream_url import stream_url
from tests.unit.api_gateway.test_app import error_of, response_to

REDIS = "redis://192.168.7.2:6399/0"
PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    networks = "192.168.7.0/24,fd00:7::/64"
    faces = tmp_path_factory.mktemp("faces")
    settings = GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=faces, camera_networks=networks)
    return create_app(Gateway(settings))


HERE = "is this machine"
LINK_LOCAL = "is link-local"
PRIVATE = "is in a network that is not public"
ODD_HOST = "write its host as a plain name or address"
NO_HOST = "no usable host and port"
UNSUPPORTED = "is not supported"
NO_ADDRESS = "write a webcam's number, demo, an absolute path"

REFUSED = [
    # this machine, in every spelling that a resolver knows
    *(
        (f"http://{host}:8080/video", "forbidden_host", HERE)
        for host in (
            "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.1",
            "0177.0.0.1", "017700000001", "0x7f.0.0.0x1", "localhost", "LOCALHOST", "LocalHost", "[::1]",
            "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[64:ff9b::127.0.0.1]",
            "[64:FF9B::7f00:1]", "[2001:0:0:0:0:0:80ff:fffe]", "[2002:7f00:1::]", "0", "0.0.0.0", "0x0", "[::]",
            "[::ffff:0.0.0.0]", "user:pass@127.0.0.1", "example.org@127.0.0.1", "example.org:80@127.0.0.1",
        )
    ),
    # link-local, where clouds keep their secrets
    *(
        (f"http://{host}/latest/meta-data", "forbidden_host", LINK_LOCAL)
        for host in ("169.254.169.254", "169.254.1", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376",
                     "[::ffff:169.254.169.254]", "[fe80::1]", "[FE80::1]", "[64:ff9b::a9fe:a9fe]")
    ),
    # neighbours
    *(
        (f"{scheme}://{host}/live", "forbidden_host", PRIVATE)
        for scheme in ("rtsp", "rtsps", "http", "https", "RTSP")
        for host in ("10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.20", "192.168.8.1", "100.64.0.1",
                     "[64:ff9b:1::7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[fc00::1]",
                     "[fd00:8::1]", "224.0.0.1", "[ff02::1]", "255.255.255.255", "198.18.0.1",
                     "192.0.0.1", "[fec0::1]")
    ),
    ("http://127.0.0.1:1/", "forbidden_host", "is Redis itself"),
    # hosts that two programs may read as different ones
    *(
        (f"http://{host}/", "bad_source", ODD_HOST)
        for host in ("①②⑦.0.0.1", "127。0。0。1", "ⓛocalhost", "bücher.example", "%31%32%37.0.0.1",
                     "127.0.0.1%00.example.org", "127.0.0.1%2f.example.org", "[fe80::1%25eth0]", "[fe80::1%eth0]",
                     "example.org\\@127.0.0.1",
                     "127.0.0.1;example.org", "127.0.0.1,example.org", "-example.org",
                     "exa$mple", "exam_ple!", "a" * 300)
    ),
    # no host at all
    *(
        (address, "bad_source", NO_HOST)
        for address in ("rtsp://", "rtsp:///live", "http:127.0.0.1", "http:/127.0.0.1/", "http://:80/",
        "http://host:0/",
                        "http://host:99999/", "http://host:-1/", "http://host:8o/", "http://[::1/", "http://::1]/",
                        "http://host name/", "http://[example.org]/")
    ),
    # text round an IPv6 address, which Python 3.11 takes for a host, and options of FFmpeg parted by | and ;
    *(
        (address, "bad_source", NO_HOST)
        for address in (
            "http://a|max_redirects;8|x;[::1]:80/r", "http://[::1]|max_redirects;8/r", "http://[::1]x:80/r",
            "rtsp://x[::1]/live", "http://[::1]:80;x/r", "http://[::1][::1]/", "http://u:p@a|b;[::1]/",
            "http://[::1%25|max_redirects;8]/", "http://[v1.x|y;z]/",
        )
    ),
    # header lines and options in user and password
    *(
        (address, "bad_source", NO_HOST)
        for address in ("http://u%0d%0aX-Y:p@host/", "rtsp://u:p%0A@host/", "rtsp://u:%00@host/")
    ),
    # what no camera speaks
    *(
        (address, "bad_source", UNSUPPORTED)
        for address in (
            "file:///etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL",
            "redis://127.0.0.1:6379", "ftp://host/x", "dict://127.0.0.1:6379/", "ldap://host/",
            "data:video/mp4;base64,AAAA",
            "concat:/etc/passwd|/etc/hosts", "concatf:/etc/passwd", "subfile:,,start,0,end,9,,:/etc/passwd",
            "crypto:/etc/passwd", "cache:http://host/", "async:file:/etc/passwd", "pipe:0", "fd:0", "tee:x",
            "unix:/run/x.sock",
            "tcp://127.0.0.1:6379", "udp://239.0.0.1:5000", "hls+http://host/x", "srt://host:1", "rtmp://host/live",
            "mmsh://host/", "ffrtmphttp://host/", "lavfi:testsrc", "v4l2:/dev/video0",
            "dshow:video=x", "gst:videotestsrc",
        )
    ),
    # neither an address nor an absolute path
    *(
        (address, "bad_source", NO_ADDRESS)
        for address in (
            "videotestsrc ! appsink", "v4l2src device=/dev/video0 ! videoconvert ! appsink", "img_%02d.jpg",
            "../../etc/passwd",
            "etc/passwd", "./clip.mp4", "~/clip.mp4", "//127.0.0.1/share/x.mp4", "-i", "rtsp//user:x@host/", "@host",
            "/videos/a.mp4?loop=1", "/videos/a@b.mp4", "٣", "1e3", "-1", "0x0",
        )
    ),
    *(
        (address, "bad_source", "is empty or holds a control character")
        for address in ("", "rtsp://host/\nSET x y", "http://host/\r\nX: y", "http://ho\tst/", "/videos/a\0.mp4",
        "rtsp://host/\x1b[2J")
        if address
    ),
    ("inbox", "bad_source", "an inbox cannot be added"),
]  # fmt: skip
PASSED = [
    "rtsp://192.168.7.9/live",
    "RTSP://192.168.7.9/live",
    f"rtsp://admin:p@{PASSWORD}@192.168.7.9:554/live",
    f"http://192.168.7.9:6399/video?token={PASSWORD}",
    "rtsp://[fd00:7::9]/live",
    "https://93.184.216.34/video",
    "http://192.168.7.2/video",
    "http://nowhere.invalid/video",  # the capture service may know this host, and checks it again
    "/videos/party.mp4",
    "/videos/img_%02d.jpg",  # as it stands there: no pattern
    "0",
    "demo",
]


def added(app: FastAPI, address: object):
    return response_to(app, "POST", "/api/v1/sources", json={"name": "door", "address": address})


@pytest.mark.parametrize(("address", "code", "words"), REFUSED, ids=lambda one: str(one)[:60])
def test_an_added_camera_that_is_not_allowed_is_refused(app: FastAPI, address: str, code: str, words: str):
    answer = added(app, address)
    assert (answer.status_code, error_of(answer)) == (422, code), answer.text
    assert words in answer.json()["error"]["message"]


def test_an_empty_and_an_overlong_address_are_refused(app: FastAPI):
    for address in ("", "http://host/" + "x" * 2000, None, 7, ["rtsp://host/"], {"url": "rtsp://host/"}):
        answer = added(app, address)
        assert (answer.status_code, error_of(answer)) == (422, "invalid_request")


@pytest.mark.parametrize("address", PASSED)
def test_an_allowed_camera_is_accepted(app: FastAPI, address: str):
    answer = added(app, address)
    assert (answer.status_code, error_of(answer)) == (503, "redis_unavailable"), answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        f"http://user:{PASSWORD}@127.0.0.1/",
        f"gopher://user:{PASSWORD}@host/",
        f"rtsp://user:{PASSWORD}\\@host/",
        f"rtsp://user:{PASSWORD}@①/",
        f"rtsp://{PASSWORD}:0@host:port/",
        f"rtsp//user:{PASSWORD}@host/",
        f"http://10.0.0.1/?token={PASSWORD}",
    ],
)
def test_a_refusal_shows_no_password(app: FastAPI, address: str):
    answer = added(app, address)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def rules(*networks: str, redis: str = "unix:///run/redis.sock") -> StreamRules:
    return StreamRules(tuple(map(ip_network, networks)), redis)


def test_every_address_of_a_name_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch):
    addresses = ["93.184.216.34", "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (one, 0)) for one in addresses])
    with pytest.raises(SourceError, match=r"camera\.example \(127\.0\.0\.1\) is this machine"):
        rules().destinations("door", "http://camera.example/")
    addresses.remove("127.0.0.1")
    assert rules().destinations("door", "http://camera.example/") == (IPv4Address("93.184.216.34"),)


def test_a_network_that_is_allowed_is_all_that_is_allowed():
    assert rules("127.0.0.0/8").destinations("a", "http://127.1/") == (IPv4Address("127.0.0.1"),)
    assert rules("10.1.0.0/16", "::1/128").destinations("a", "rtsp://[::1]/") == (IPv6Address("::1"),)
    for other in ("10.2.0.1", "169.254.169.254", "192.168.0.1"):
        with pytest.raises(SourceError, match="EMOTII_CAMERA_NETWORKS"):
            rules("10.1.0.0/16", "127.0.0.0/8").destinations("a", f"http://{other}/")


@pytest.mark.parametrize(
    "host",
    ["192.168.7.2:6399", "[::ffff:192.168.7.2]:6399", "3232237314:6399", "0xc0a80702:6399", "x:y@192.168.7.2:6399"],
)
@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtsps"])
def test_redis_cannot_be_a_camera_even_in_an_allowed_network(host: str, scheme: str):
    allowed = rules("192.168.7.0/24", redis=REDIS)
    with pytest.raises(SourceError, match="is Redis itself"):
        allowed.destinations("door", f"{scheme}://{host}/")
    assert allowed.destinations("door", f"{scheme}://192.168.7.2:81/") == (IPv4Address("192.168.7.2"),)


def test_a_host_without_an_address_is_distinguished_from_a_refused_one():
    with pytest.raises(UnknownHost, match=r"there is no host 'a\.invalid'"):
        rules().destinations("door", "rtsp://a.invalid/")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("rtsp://user:p@ss@camera.local/live", ("camera.local", 554)),
        ("http://a:b@c:d@Camera.LOCAL:81/", ("camera.local", 81)),
        ("https://[FD00::9]/", ("fd00::9", 443)),
        ("rtsps://camera/", ("camera", 322)),
    ],
)
def test_the_host_of_a_stream_follows_the_last_at_sign(url: str, host: tuple[str, int]):
    parts = stream_url("door", url)
    assert (parts.host, parts.port) == host
    assert "p@ss" not in safe_url(url)


def test_invalid_networks_are_reported(monkeypatch: pytest.MonkeyPatch):
    for value in ("192.168.1.0/33", "192.168.1.1/24", "home", "10.0.0.0/8;fd00::/8"):
        monkeypatch.setenv("EMOTII_CAMERA_NETWORKS", value)
        with pytest.raises(SettingsError, match=r"^EMOTII_CAMERA_NETWORKS="):
            load(GatewaySettings)
