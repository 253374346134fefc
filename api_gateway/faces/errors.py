"""Why a face cannot be saved, found or labelled."""

from contract.errors import EmotiiError


class NoFace(EmotiiError):
    """No face is visible now."""


class FaceNotFound(EmotiiError):
    """There is no saved face of this name."""


class UnknownEmotion(EmotiiError):
    """A saved face cannot be labelled with this emotion."""


class StoreFull(EmotiiError):
    """A face cannot be written: the disk is full, read-only or not ours."""
