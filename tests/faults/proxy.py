"""A TCP proxy in front of a private server, with the faults of a network: lost, late, sliced and broken off."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable, Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, Literal, Self

from emotii.local.redis_server import PrivateServer

Way = Literal["commands", "replies"]
Gate = Callable[[Way, bytes], bool]
"""Is called before each piece is forwarded, on the thread of the proxy; False drops the piece."""
READ_BYTES = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST and discards unsent bytes."""


def everything_passes(_way: Way, _piece: bytes) -> bool:
    return True


class Proxy:
    """Forwards the traffic between clients and the server; one thread, a context manager.

    `gate` may be replaced at any time. With `longest_slice` above 0 the bytes are forwarded in slices of random
    lengths up to it, each in a packet of its own.
    """

    def __init__(self, server: PrivateServer, seed: int = 0) -> None:
        self.gate: Gate = everything_passes
        self.longest_slice = 0
        self.refused = 0
        """Connections that were opened while the server was unreachable."""
        self._upstream = server.url.removeprefix("unix://")
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy")
        self._writers: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The value for `EMOTII_REDIS_URL`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lose(self, *ways: Way) -> None:
        """Drop all traffic in these directions and keep the connections; without arguments, forward all again."""
        self.gate = lambda way, _piece: way not in ways

    def reset(self) -> int:
        """Reset every connection, even in the middle of a message; returns their number."""

        async def abort_all() -> int:
            broken = len(self._writers) // 2
            for writer in list(self._writers):
                _abort(writer)
            return broken

        return self._call(abort_all())

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0, limit=READ_BYTES)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        assert self._listener is not None
        self._listener.close()
        for writer in list(self._writers):
            _abort(writer)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(self._upstream, limit=READ_BYTES)
        except OSError:  # the server is unreachable: close this connection as a refused one
            self.refused += 1
            _abort(writer)
            return
        both = {writer, server_writer}
        self._writers |= both
        await asyncio.gather(
            self._pass_on("commands", reader, server_writer, both),
            self._pass_on("replies", server_reader, writer, both),
        )
        self._writers -= both

    async def _pass_on(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, both: set[asyncio.StreamWriter]
    ) -> None:
        try:
            while piece := await reader.read(READ_BYTES):
                if self.gate(way, piece):
                    await self._write(writer, piece)
        except OSError:
            pass  # broken off by us or by one of both; the code below closes the other
        finally:
            for one in both:
                _abort(one)

    async def _write(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        longest = self.longest_slice  # may be set anew while this is under way
        if not longest:
            writer.write(piece)
            await writer.drain()
            return
        at = 0
        while at < len(piece):
            end = at + self._chance.randint(1, longest)
            writer.write(piece[at:end])
            await writer.drain()
            await asyncio.sleep(0)  # lets the other end read before the next slice arrives
            at = end

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def _abort(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.family == socket.AF_INET and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
