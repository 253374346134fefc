"""Why no picture can be served."""

from contract.errors import EmotiiError


class NoFrame(EmotiiError):
    """A source delivers no frame now, or a damaged one."""


class InvalidWatch(EmotiiError):
    """A message of a client that watches videos is not valid."""
