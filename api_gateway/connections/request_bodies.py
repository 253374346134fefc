"""Limits the bodies of requests: a small one is read whole before its route runs, an upload is read at a least rate.

Starlette and FastAPI read a body of any size, for any time. Of the libraries for this, none bounds the time, and most
believe the length that a request announces, which a chunked one does not.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.connections.errors import BodyTooLarge, BodyTooSlow
from contract.errors import EmotiiError

BODY_LIMIT = 64 * 1024
"""Bytes of a body that is not an upload."""
LEAST_RATE = 8_000
"""Bytes a second of an upload, on average."""
UPLOAD_PATIENCE = 30.0
"""Seconds that an upload may be silent, and may take more than at the least rate."""

DISCARDED_BYTES, DISCARDING_SECONDS = 1_000_000, 1.0
LONGEST_LENGTH = 18
"""Digits of an announced length that are read: more than any limit has."""


class RequestBodies:
    """Middleware behind the guard.

    Args:
        app: the application.
        uploads: paths whose POST reads its body as it arrives, with a limit of its own.
        seconds: the time that any other body may take.
        refuse: makes the response of a request that is refused.
    """

    def __init__(
        self, app: ASGIApp, uploads: Collection[str], seconds: float, refuse: Callable[[EmotiiError], Response]
    ) -> None:
        self._app = app
        self._uploads = uploads
        self._seconds = seconds
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"] in self._uploads:
            await self._app(scope, PacedBody(receive).receive, send)
        else:
            try:
                body = await self._read(Headers(scope=scope), receive)
            except (BodyTooLarge, BodyTooSlow) as error:
                if isinstance(error, BodyTooLarge):
                    await _discard(Headers(scope=scope), receive)
                await self._refuse(error)(scope, receive, send)
                return
            if body is not None:
                await self._app(scope, _replayed(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None if the client has left.

        Raises:
            BodyTooLarge: it is above the limit, or announced to be.
            BodyTooSlow: it does not arrive in time.
        """
        if announced_length(headers) > BODY_LIMIT:
            raise _too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > BODY_LIMIT:
                        raise _too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise BodyTooSlow(f"the body did not arrive within {self._seconds:g} s") from None
        return None


class PacedBody:
    """The body of an upload, which has to arrive at a least rate. Time that the server takes does not count.

    Args:
        receive: of ASGI.
        rate: bytes a second, on average.
        patience: seconds that the client may be silent, or slower than the rate, in all.
    """

    def __init__(self, receive: Receive, rate: float = LEAST_RATE, patience: float = UPLOAD_PATIENCE) -> None:
        self._receive = receive
        self._rate = rate
        self._patience = patience
        self._waited = 0.0
        self._received = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            BodyTooSlow: it does not arrive in time.
        """
        if self._complete:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        left = self._patience + self._received / self._rate - self._waited
        try:
            async with asyncio.timeout(min(left, self._patience)):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow(
                f"nothing came for {self._patience:g} s, or less than {self._rate:g} bytes a second"
            ) from None
        self._waited += loop.time() - began
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message


def has_body(headers: Headers) -> bool:
    """Whether a request may have a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def announced_length(headers: Headers) -> int:
    """The length of the body that a request announces; 0 if it announces none."""
    announced = headers.get("content-length", "0")
    return int(announced[:LONGEST_LENGTH]) if announced.isdecimal() else 0


async def _discard(headers: Headers, receive: Receive) -> None:
    """Read the rest of a body that is only somewhat too large: its client reads no response before it has sent all.

    If the connection ended first, as a client may request, the system would discard the response as well.
    """
    left = DISCARDED_BYTES - announced_length(headers)
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARDING_SECONDS):
            while left > 0 and (message := await receive())["type"] == "http.request" and message.get("more_body"):
                left -= len(message.get("body", b""))


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"the body of this request may have {BODY_LIMIT} bytes")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body that was read, then what follows."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return parts.pop() if parts else await receive()

    return replay
