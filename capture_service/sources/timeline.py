"""The times of a recording: as the file states them, strictly increasing over all its passes."""

SMALLEST_STEP = 0.001
"""Seconds: results are stored in milliseconds, and no two frames have the same time."""
LONGEST_STEP = 86400.0
"""A step forward of more seconds than this is an error of the file."""
BACKWARDS = 0.5
"""A step back of more seconds than this is the beginning of another part; a smaller one is an error of one frame."""


class Timeline:
    """Where the recording is, `seconds` after its beginning."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._origin = 0.0
        """Of the clock of this pass, or of this part of a file that was put together from several."""
        self._frames = 0
        self._step = 0.0

    def begin_pass(self, origin: float) -> None:
        """Continue with the file from its beginning, which is at `origin` on its own clock."""
        self._origin = origin - (self.seconds + self._step if self._frames else 0.0)

    def move(self, stated: float | None, step: float) -> None:
        """Move on to the next frame.

        Args:
            stated: its time on the file's clock, None if the file states none.
            step: seconds from one frame to the next by the file's frame rate.
        """
        usual = self.seconds + step if self._frames else 0.0
        wanted = usual if stated is None else stated - self._origin
        if not -BACKWARDS < wanted - self.seconds < LONGEST_STEP:
            self._origin += wanted - usual
            wanted = usual
        self.seconds = max(wanted, self.seconds + SMALLEST_STEP if self._frames else 0.0)
        self._frames, self._step = self._frames + 1, step
