"""Why a request about a source cannot be served."""

from contract.errors import EmotiiError


class UnknownSource(EmotiiError):
    """There is no source of this name."""


class BadSource(EmotiiError):
    """The name or address cannot be that of a source."""


class ForbiddenHost(EmotiiError):
    """The host of a stream is in a network from which nothing may be captured."""


class NameTaken(EmotiiError):
    """Another source has this name."""


class TooManySources(EmotiiError):
    """The limit on added sources is reached."""


class ConfiguredSource(EmotiiError):
    """The configuration of the capture service names the source, so it cannot be removed here."""


class BrowserSource(EmotiiError):
    """A browser sends the source, so it ends with that page."""


class BadPicture(EmotiiError):
    """A browser sent something that is not a JPEG."""


class PictureTooLarge(EmotiiError):
    """A browser sent a picture above the limit."""


class TooFast(EmotiiError):
    """A browser sent a picture without a credit."""


class BrowserSilent(EmotiiError):
    """A browser sent no picture for too long."""


class NotReady(EmotiiError):
    """Redis, a capture service or a worker is missing."""
