"""The types of the fields of messages that are JSON: what every process may rely on, whoever wrote the value.

Some fields become a path, a key of Redis or the name of a metric, and every number takes part in arithmetic. So each
has bounds here, and a value outside them is a message that cannot be read.
"""

from typing import Annotated

from pydantic import Field

from contract.keys import SOURCE_NAME
from contract.messages.fields import LATEST_MS

SourceName = Annotated[str, Field(pattern=f"^{SOURCE_NAME.pattern}$")]
"""Epochs are spelled like it, too."""

RECORD_ID_PATTERN = r"[0-9a-f]{12}"
RecordId = Annotated[str, Field(pattern=f"^{RECORD_ID_PATTERN}$")]
"""Of a job or an erasure. The id of a job is also the name of its folder."""

RESULT_FILE_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
ResultFile = Annotated[str, Field(pattern=f"^{RESULT_FILE_PATTERN}$")]
"""The name of a file of a job's results: no path, and not hidden."""

Moment = Annotated[int, Field(ge=0, le=LATEST_MS)]
"""A time in ms since 1970."""

MOST = 10**18 - 1
Count = Annotated[int, Field(ge=0, le=MOST)]
"""As `fields.integer` reads it: it fits into 64 bits."""

MODEL_ID_PATTERN = r"[a-z0-9][a-z0-9_-]{0,63}@[0-9][0-9A-Za-z.+-]{0,31}"
ModelId = Annotated[str, Field(pattern=f"^{MODEL_ID_PATTERN}$")]
"""`name@version` of a model; a report looks for the model's card by the name."""

Port = Annotated[int, Field(ge=0, le=65535)]

Line = Annotated[str, Field(max_length=1024)]
"""A name for people."""
