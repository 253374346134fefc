"""Why a request for the history cannot be served, beside what `database` raises."""

from contract.errors import EmotiiError


class HistoryOff(EmotiiError):
    """Nothing is recorded here."""

    def __init__(self) -> None:
        super().__init__("nothing is recorded here (EMOTII_HISTORY=0)")


class UnknownCursor(EmotiiError):
    """The cursor of a request is not one that a page returned."""
