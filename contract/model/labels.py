"""The emotions, spelled as results spell them. A model's own order stands in its `model.json`."""

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
"""The columns of the FER+ votes (Barsoum et al., 2016), in our spelling."""
