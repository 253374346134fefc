"""Connections that make no progress, on real sockets with a clock of the test's own."""

import asyncio
import socket
from dataclasses import dataclass

from api_gateway.connections.overdue import UNREAD_SECONDS, OverdueConnections


@dataclass
class Connection:
    transport: asyncio.Transport


def test_a_client_that_reads_nothing_is_disconnected_and_one_that_reads_slowly_is_not():
    async def scene() -> tuple[bool, bool]:
        now = 0.0
        overdue = OverdueConnections(10, monotonic=lambda: now)
        opened: list[Connection] = []
        both = asyncio.Event()

        class Server(asyncio.Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:
                opened.append(Connection(transport))
                if len(opened) == 2:
                    both.set()

        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        server = await asyncio.get_running_loop().create_server(Server, sock=listening)
        port = server.sockets[0].getsockname()[1]
        slow, deaf = (socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(2))
        await both.wait()
        by_port = {one.transport.get_extra_info("peername")[1]: one.transport for one in opened}
        reading, unread = by_port[slow.getsockname()[1]], by_port[deaf.getsockname()[1]]
        for transport in (reading, unread):
            transport.write(bytes(60_000_000))
        with slow, deaf:
            for _ in range(15):
                before = reading.get_write_buffer_size()
                while reading.get_write_buffer_size() == before:
                    await asyncio.to_thread(slow.recv, 1_000_000)
                    await asyncio.sleep(0)
                now += UNREAD_SECONDS / 10
                overdue.end(opened)
        server.close()
        return reading.is_closing(), unread.is_closing()

    assert asyncio.run(scene()) == (False, True)
