"""Why a request for an erasure cannot be served."""

from contract.errors import EmotiiError


class ErasureNotFound(EmotiiError):
    """There is no erasure of this id."""
