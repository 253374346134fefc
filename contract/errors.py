"""The errors that Emotii raises itself. Each message states the fault and its remedy."""


class EmotiiError(Exception):
    """An error that a person can correct; shown as one line, without a traceback."""


class SettingsError(EmotiiError):
    """A setting has a value that cannot be used."""


class SourceError(EmotiiError):
    """A source cannot be named, opened or read."""


class ModelError(EmotiiError):
    """A model folder is missing, incomplete or does not match its `model.json`."""


class PictureError(EmotiiError):
    """Bytes or a file that should hold a picture do not."""


class JobStopped(EmotiiError):  # noqa: N818 - what happened, not a fault
    """The analysis of a recording was stopped before its end."""


class MalformedMessage(EmotiiError):  # noqa: N818 - a noun of the glossary
    """A stream entry that does not follow the contract; it is dead-lettered with this reason."""


class BrokerUnavailable(EmotiiError):  # noqa: N818
    """Redis cannot be reached or cannot serve now; worth another try."""


def reason_of(error: BaseException) -> str:
    """What went wrong, in one line that is never empty: time-outs and cancellations have no text of their own.

    Of an error of the operating system its reason alone, without the path, which may not belong into an answer.
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    name = type(error).__name__
    return next((line.strip() for line in text.splitlines() if line.strip()), _WITHOUT_TEXT.get(name, name))


_WITHOUT_TEXT = {"TimeoutError": "no response in time", "CancelledError": "cancelled"}
