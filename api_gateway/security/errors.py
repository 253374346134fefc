"""Why a request is refused before it reaches a service."""

from contract.errors import EmotiiError


class UnknownHostName(EmotiiError):
    """The Host header holds none of the gateway's names."""


class ForeignOrigin(EmotiiError):
    """A page of another site sent the request."""


class Unauthorized(EmotiiError):
    """The request has no valid token or session."""

    def __init__(self) -> None:
        super().__init__("sign in at /sign-in, or send Authorization: Bearer TOKEN")


class WrongToken(EmotiiError):
    """There is no such token."""


class TooManyAttempts(EmotiiError):
    """This address has sent too many wrong tokens.

    Args:
        wait_seconds: until it may try again.
    """

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"too many wrong tokens; wait {wait_seconds} s")
        self.wait_seconds = wait_seconds


class Forbidden(EmotiiError):
    """The grant of the request does not allow it."""


class NoTokens(EmotiiError):
    """No tokens are configured, so nobody can sign in."""
