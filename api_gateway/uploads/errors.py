"""Why an uploaded picture or recording cannot be accepted, or a job not be served."""

from contract.errors import EmotiiError


class UnsupportedMediaType(EmotiiError):
    """The body is of another media type."""


class MalformedForm(EmotiiError):
    """The body is not a form, is cut off or has too many parts."""


class MissingFile(EmotiiError):
    """The form has no file of this name."""


class BadFileName(EmotiiError):
    """The name of the file looks like a path."""


class UploadTooLarge(EmotiiError):
    """The file is above the limit."""


class UnreadablePicture(EmotiiError):
    """The file is not a picture."""


class UnreadableVideo(EmotiiError):
    """The file is not a video."""


class UnclassifiableFace(EmotiiError):
    """The model fails on a face of the picture."""


class NoCapture(EmotiiError):
    """No capture service processes pictures now."""


class NoWorker(EmotiiError):
    """No inference worker is running now."""


class TooManyUploads(EmotiiError):
    """Too many pictures or recordings are waiting."""


class PredictionTimeout(EmotiiError):
    """The result of a picture did not arrive in time."""


class JobNotFound(EmotiiError):
    """There is no job of this id."""


class JobNotDone(EmotiiError):
    """The job has no files yet."""


class JobStillRunning(EmotiiError):
    """The process of a cancelled job has not ended in time."""


class JobFileNotFound(EmotiiError):
    """The job has no such file."""


class DiskFull(EmotiiError):
    """The disk of the recordings is full."""


class DiskUnwritable(EmotiiError):
    """The folder of the recordings cannot be written to."""
