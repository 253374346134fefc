"""Many clients that read all they receive, in one process that uses little CPU time.

    python -m benchmarks.testbed.load_clients PORT SOCKETS VIEWERS

It prints "there" when every client has received its first events or video. For each line on stdin it prints the number
of readings and pictures received since the previous one. It ends at the end of stdin.
"""

import asyncio
import sys
from functools import partial
from typing import cast

import uvloop

EVENTS = (
    b"GET /ws/emotions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
VIDEO = b"GET /video_feed HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
PING = b"\x89\x04"
"""The first bytes of a ping of the server."""
PONG = b"\x8a\x84\x00\x00\x00\x00"
"""With an empty mask, so that the payload is returned unchanged."""
READING, PICTURE = b'"kind":"reading"', b"Content-Type: image/jpeg"
ENOUGH_BYTES = 1000
CONNECT_SECONDS = 60


class Reader(asyncio.Protocol):
    """A client that discards what it reads, but answers pings."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self.received = self.delivered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # transports of uvloop are not derived from it
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.delivered += data.count(READING) + data.count(PICTURE)
        if self._transport and (at := data.rfind(PING)) >= 0 and len(data) == at + 6:
            self._transport.write(PONG + data[at + 2 :])


async def serve(port: int, sockets: int, viewers: int) -> None:
    """Connect all clients, then report until stdin ends."""
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    for request, count in ((EVENTS % port, sockets), (VIDEO % port, viewers)):
        for _ in range(count):
            _, reader = await loop.create_connection(partial(Reader, request), "127.0.0.1", port)
            readers.append(reader)
    async with asyncio.timeout(CONNECT_SECONDS):
        while not all(reader.received > ENOUGH_BYTES for reader in readers):  # noqa: ASYNC110 - one poll for all
            await asyncio.sleep(0.05)
    print("there", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(sum(one.delivered for one in readers), flush=True)
        for one in readers:
            one.delivered = 0


if __name__ == "__main__":
    uvloop.run(serve(*map(int, sys.argv[1:])))
