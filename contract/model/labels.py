"""The emotions as results spell them. The order of a model's labels is in its `model.json`."""

from typing import Annotated

from pydantic import Field

MOST_LABELS = 64
LONGEST_LABEL = 32
LABEL_PATTERN = rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_LABEL - 1}}}"
Label = Annotated[str, Field(pattern=f"^{LABEL_PATTERN}$")]
"""An emotion of any model. It names the folder of the saved faces with that emotion."""

EMOTIONS_5 = ("angry", "fear", "happy", "sad", "surprise")
EMOTIONS_8 = (*EMOTIONS_5, "neutral", "disgust", "contempt")

FER_PLUS_VOTES = (
    "neutral",
    "happy",
    "surprise",
    "sad",
    "angry",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "not-a-face",
)
"""The columns of the FER+ votes (Barsoum et al., 2016), in this spelling."""
