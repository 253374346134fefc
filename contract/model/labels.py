"""The emotions as results spell them. The order of a model's labels is in its `model.json`."""

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
