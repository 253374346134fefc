"""Why a face cannot be saved, found or labelled."""

from contract.errors import EmotiiError


class NoFace(EmotiiError):
    """No face is visible now."""


class FaceNotFound(EmotiiError):
    """There is no saved face of this name."""


class UnknownEmotion(EmotiiError):
    """A saved face cannot be labelled with this emotion."""


class CannotStore(EmotiiError):
    """A face cannot be written or moved."""


class StoreFull(CannotStore):
    """The disk is full."""


class StoreUnwritable(CannotStore):
    """The folder cannot be written to: it is read-only, or its rights are missing."""
