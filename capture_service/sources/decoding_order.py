"""The times of the frames of a file that states none: they are shown in the order of their decoding times.

A frame is known by the decoding time of its packet. So a damaged frame takes its place exactly once, whether or not the
decoder gives something for it, and the frames behind it keep their times.
"""

import heapq


class DecodingOrder:
    """Follows the packets that gave no frame yet."""

    def __init__(self) -> None:
        self._times: list[int] = []
        """Heap of the times at which no frame was shown yet."""
        self._pending: dict[int, bool] = {}
        """The packets that gave no frame yet, by decoding time, and whether they must give one."""
        self.has_fields = False
        """Whether frames have two fields. Each may have a packet, and the second gives no frame."""

    def expect(self, time: int, *, must_show: bool) -> None:
        """A packet with this decoding time; without `must_show` it may say that the frame before is shown on."""
        heapq.heappush(self._times, time)
        self._pending[time] = must_show

    def is_new(self, time: int | None) -> bool:
        """Whether the packet with this decoding time gave no frame yet."""
        return time is None or time in self._pending

    def missing(self, before: int | None = None) -> set[int]:
        """The packets that will give no frame any more: those before a key frame, or all at the end."""
        missing = set()
        for time in [time for time in self._pending if before is None or time < before]:
            if self._pending[time] and not self.has_fields:
                missing.add(time)
            else:
                self.show(time)
        return missing

    def show(self, time: int | None) -> int | None:
        """When the frame of the packet with this decoding time, None if that is not known, is shown as the next one."""
        self._pending.pop(min(self._pending, default=0) if time is None else time, None)
        return heapq.heappop(self._times) if self._times else None
