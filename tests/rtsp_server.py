"""A small RTSP server that sends H.264 over TCP, UDP or both, and may lead elsewhere or refuse."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import count, cycle, islice

import av
import numpy as np

from tests.accepting import accept_connections

FPS = 60
SHADES = 20
MOST_PAYLOAD = 1300


@cache
def nal_units(size: tuple[int, int] = (160, 120)) -> list[list[bytes]]:
    """The H.264 of some frames of one shade each: their NAL units. Every frame is a key frame."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, FPS)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=1:repeat-headers=1"}
    packets = []
    for number in range(SHADES):
        picture = np.full((size[1], size[0], 3), 40 + 10 * number, np.uint8)
        packets += encoder.encode(av.VideoFrame.from_ndarray(picture, format="bgr24"))
    packets += encoder.encode(None)
    return [[unit for unit in re.split(b"\x00{2,3}\x01", bytes(packet)) if unit] for packet in packets]


@dataclass
class RtspServer:
    """Sends the same frames again and again to each client.

    Attributes:
        transports: that it supports; it answers 461 to others.
        describe: the status of DESCRIBE.
        headers: more header lines of the response to DESCRIBE.
        control: of the media, as the session description states it.
        transport: more parameters of the `Transport` in the response to SETUP.
        silent_over: transports over which it sends no pictures.
        most_frames: after which it falls silent.
        tls: encrypts the connections, if there is one.
        requests: the first lines of all requests.
        sent_over: the transports over which it sent pictures.
        client_ports: to which clients wanted their pictures over UDP.
    """

    transports: tuple[str, ...] = ("tcp", "udp")
    describe: int = 200
    headers: str = ""
    control: str = "track1"
    transport: str = ""
    silent_over: tuple[str, ...] = ()
    most_frames: int = 10**6
    tls: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    sent_over: set[str] = field(default_factory=set)
    client_ports: list[int] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        self._stop = threading.Event()
        accept_connections(self._socket, self._talk)

    def stop(self) -> None:
        """End all connections; `start` listens on the same port again."""
        self._stop.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def methods(self, *wanted: str) -> list[str]:
        """The methods of the requests so far, those of interest."""
        return [line.partition(" ")[0] for line in self.requests if line.startswith(wanted)]

    def _talk(self, connection: socket.socket) -> None:
        address = None
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as lines, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            try:
                while request := self._request(lines):
                    first, headers = request
                    self.requests.append(first)
                    method = first.partition(" ")[0]
                    status, answer, body = self._answer(method, headers, udp)
                    connection.sendall(_response(status, headers.get("cseq", "0"), answer, body))
                    if method == "SETUP" and (ports := re.search(r"client_port=(\d+)", headers["transport"])):
                        address = "127.0.0.1", int(ports[1])
                        self.client_ports.append(address[1])
                    kind = "udp" if address else "tcp"
                    if method == "PLAY" and kind not in self.silent_over:
                        self.sent_over.add(kind)
                        threading.Thread(target=self._send, args=[connection, udp, address], daemon=True).start()
                        self._stop.wait()
            except OSError:
                return

    def _request(self, lines) -> tuple[str, dict[str, str]] | None:
        first = lines.readline().decode("latin-1").strip()
        headers = {}
        while line := lines.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return (first, headers) if first else None

    def _answer(self, method: str, headers: dict[str, str], udp: socket.socket) -> tuple[int, str, str]:
        if method == "OPTIONS":
            return 200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""
        if method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:{self.control}\r\n"
            )
            return (
                self.describe,
                f"Content-Type: application/sdp\r\n{self.headers}",
                body if self.describe == 200 else "",
            )
        if method == "SETUP":
            wanted = headers["transport"]
            kind = "tcp" if "TCP" in wanted else "udp"
            if kind not in self.transports:
                return 461, "", ""
            served = f";server_port={udp.getsockname()[1]}-{udp.getsockname()[1] + 1}" if kind == "udp" else ""
            return 200, f"Session: 1\r\nTransport: {wanted.split(',')[0]}{served}{self.transport}\r\n", ""
        return 200, "Session: 1\r\n", ""

    def _send(self, connection: socket.socket, udp: socket.socket, address: tuple[str, int] | None) -> None:
        for packets in islice(rtp_frames(), self.most_frames):
            for packet in packets:
                try:
                    if address:
                        udp.sendto(packet, address)
                    else:
                        connection.sendall(struct.pack("!cBH", b"$", 0, len(packet)) + packet)
                except OSError:
                    return
            if self._stop.wait(1 / FPS):
                return


def rtp_frames() -> Iterator[list[bytes]]:
    """The packets of each frame, without an end."""
    sequence = count()
    for number, units in enumerate(cycle(nal_units())):
        payloads, time = list(_payloads(units)), number * 90_000 // FPS & 0xFFFFFFFF
        marked = [96] * (len(payloads) - 1) + [96 | 0x80]
        yield [
            struct.pack("!BBHII", 0x80, kind, next(sequence) & 0xFFFF, time, 7) + payload
            for kind, payload in zip(marked, payloads, strict=True)
        ]


def _payloads(units: list[bytes]) -> Iterator[bytes]:
    for unit in units:
        if len(unit) <= MOST_PAYLOAD:
            yield unit
            continue
        indicator, kind, rest = (unit[0] & 0xE0) | 28, unit[0] & 0x1F, unit[1:]
        parts = [rest[at : at + MOST_PAYLOAD] for at in range(0, len(rest), MOST_PAYLOAD)]
        for place, part in enumerate(parts):
            flags = (0x80 if place == 0 else 0) | (0x40 if place == len(parts) - 1 else 0)
            yield bytes((indicator, flags | kind)) + part


def _response(status: int, number: str, headers: str, body: str) -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 {status} x\r\nCSeq: {number}\r\n{headers}{length}\r\n{body}".encode()


@contextmanager
def rtsp_server(**options) -> Iterator[RtspServer]:
    """A running server."""
    server = RtspServer(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
