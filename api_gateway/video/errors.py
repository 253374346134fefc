"""Why no picture can be served."""

from contract.errors import EmotiiError


class NoFrame(EmotiiError):
    """A source delivers no frame now, or a damaged one."""
