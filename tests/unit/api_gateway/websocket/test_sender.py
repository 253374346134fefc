"""Sending to a WebSocket whose client may have left, stalled or been disconnected."""

import asyncio

import pytest
from starlette.datastructures import URL
from starlette.websockets import WebSocketDisconnect

from api_gateway.websocket import sender
from api_gateway.websocket.sender import CLOSED_BY_SERVER, ClientGone, Sender

UVICORN = f"Unexpected ASGI message 'websocket.send', {CLOSED_BY_SERVER} or response already completed."


class Socket:
    """A WebSocket on which sending fails or stalls."""

    url = URL("ws://localhost/ws/emotions")

    def __init__(self, error: Exception | None = None, *, stalls: bool = False) -> None:
        self.sent: list[object] = []
        self._error = error
        self._stalls = stalls

    async def send_text(self, text: str) -> None:
        if self._stalls:
            await asyncio.sleep(60)
        if self._error:
            raise self._error
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.sent.append((code, reason))


def test_a_message_is_sent_and_the_last_one_closes_with_a_code_and_a_reason():
    socket = Socket()

    async def scene() -> None:
        await Sender(socket).send("one")
        await Sender(socket).close("two", 1008, "too_fast")

    asyncio.run(scene())
    assert socket.sent == ["one", "two", (1008, "too_fast")]


@pytest.mark.parametrize("error", [WebSocketDisconnect(1006), RuntimeError(UVICORN)], ids=["left", "closed by server"])
def test_a_client_that_left_or_was_disconnected_is_gone_and_closing_does_nothing(error: Exception):
    socket = Socket(error)

    async def scene() -> None:
        with pytest.raises(ClientGone):
            await Sender(socket).send("one")
        await Sender(socket).close("two", 1008, "too_fast")

    asyncio.run(scene())
    assert socket.sent == []


def test_a_client_that_stops_reading_is_gone_after_the_deadline_and_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sender, "STALLED_SECONDS", 0.05)

    async def scene() -> None:
        with pytest.raises(ClientGone):
            await Sender(Socket(stalls=True)).send("one")

    asyncio.run(asyncio.wait_for(scene(), 5))
    assert "a client that stopped reading was disconnected" in capsys.readouterr().out


def test_another_runtime_error_is_not_swallowed():
    async def scene() -> None:
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            await Sender(Socket(RuntimeError("a mistake of ours"))).send("one")

    asyncio.run(scene())
