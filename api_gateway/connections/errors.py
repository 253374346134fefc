"""Why a connection or a request is refused before a route runs."""

from contract.errors import EmotiiError


class MalformedRequest(EmotiiError):
    """The bytes are not a request of HTTP."""


class HeadTooLarge(EmotiiError):
    """The address and the headers of a request are above the limit."""


class BodyTooLarge(EmotiiError):
    """The body of a request is above the limit of its route."""


class BodyTooSlow(EmotiiError):
    """The body of a request does not arrive in time."""


class TooManyConnections(EmotiiError):
    """Every place is taken, except those of the probes."""


class TooManyStreams(EmotiiError):
    """Too many videos and WebSockets are open: in all, from this address, or with this token."""
