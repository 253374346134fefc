"""The colours of emotions, as on the page: by the spelling, since a model may have any labels."""

from collections.abc import Sequence

from rendering.overlay import PALETTE, hue

HATCHES = ("", "//", "..", "xx")
"""Two labels may share a colour, so their areas differ in texture as well."""
UNCERTAIN = "#d9d9e0"
INK = "#1d1b26"
SOFT = "#5d596c"
LINE = "#e3e1ec"


def colour(emotion: str) -> str:
    """`#rrggbb`."""
    blue, green, red = PALETTE[hue(emotion)]
    return f"#{red:02x}{green:02x}{blue:02x}"


def hatch(emotion: str, labels: Sequence[str]) -> str:
    """What sets an emotion apart from those of the same colour among all labels; the first one is plain."""
    alike = sorted(label for label in labels if hue(label) == hue(emotion))
    return HATCHES[alike.index(emotion) % len(HATCHES)] if emotion in alike else ""
