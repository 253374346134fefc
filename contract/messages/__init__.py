"""The messages on the streams, with their versions, as frozen values that encode and decode themselves.

A stream entry is a flat map of bytes. `kind` names the message and `v` the version of the contract. Reading an entry
either returns a valid value or raises `MalformedMessage` with the reason.
"""

from contract.messages.added_source import AddedSource
from contract.messages.channel import FrameFace, FrameHeader
from contract.messages.crop import Crop, CropEntry, read_crop_entry
from contract.messages.dead import Dead
from contract.messages.face import Box, Face, FrameId, Quality
from contract.messages.frame import FrameDone, Manifest
from contract.messages.inbox import InboxPicture
from contract.messages.job import JobState, JobStatus
from contract.messages.reading import Outcome, Reading, read_outcome
from contract.messages.status import (
    FORGOTTEN_MS,
    STATUS_TTL_MS,
    SourceKind,
    SourceState,
    SourceStatus,
    WorkerStatus,
)

__all__ = [
    "FORGOTTEN_MS",
    "STATUS_TTL_MS",
    "AddedSource",
    "Box",
    "Crop",
    "CropEntry",
    "Dead",
    "Face",
    "FrameDone",
    "FrameFace",
    "FrameHeader",
    "FrameId",
    "InboxPicture",
    "JobState",
    "JobStatus",
    "Manifest",
    "Outcome",
    "Quality",
    "Reading",
    "SourceKind",
    "SourceState",
    "SourceStatus",
    "WorkerStatus",
    "read_crop_entry",
    "read_outcome",
]
