"""The colours of emotions, as on the gateway's page: derived from the spelling, because a model may have any labels."""

from collections.abc import Sequence

from rendering.overlay import PALETTE, hue

HATCHES = ("", "//", "..", "xx")
"""Labels that share a colour differ in hatching."""
UNCERTAIN = "#d9d9e0"
INK = "#1d1b26"
SOFT = "#5d596c"
LINE = "#e3e1ec"


def colour(emotion: str) -> str:
    """`#rrggbb`."""
    blue, green, red = PALETTE[hue(emotion)]
    return f"#{red:02x}{green:02x}{blue:02x}"


def hatch(emotion: str, labels: Sequence[str]) -> str:
    """The hatching that distinguishes an emotion from the `labels` of the same colour; none for the first of them."""
    alike = sorted(label for label in labels if hue(label) == hue(emotion))
    return HATCHES[alike.index(emotion) % len(HATCHES)] if emotion in alike else ""
