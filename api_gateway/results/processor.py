"""The steady results of all sources, each begun where another gateway stands or where its results begin."""

from collections.abc import Callable

import redis.asyncio

from api_gateway.results.snapshots import Snapshot, Snapshots
from contract import events
from contract.messages import Outcome
from contract.messages.erasure import ErasureScope
from contract.redis.clock import RedisClock
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import ProcessorOutput, SourceProcessor
from postprocessing.track_processor import SmoothedReading

FRESH_MS = 1000
"""What was stored earlier than this before a source is followed is taken in without being told; the registry may name
a new source half a second late."""
BEGINNING = b"0-0"


class ResultProcessor:
    """One `SourceProcessor` a source, and who is told.

    Args:
        client: for commands.
        clock: Redis's.
        steadiness: how steady.
        is_recorded: whether the source of a name is a recording.
        on_reading: called with each reading, in the order of the frames of its source.
        on_episode: called with each start, update and end of an episode.
        on_past: called with what was read while no gateway, or only others, were there; since the last snapshot.
        on_dropped: called for each outcome that came before, or too late for its place.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: RedisClock,
        steadiness: SmoothingParameters,
        *,
        is_recorded: Callable[[str], bool],
        on_reading: Callable[[SmoothedReading], None],
        on_episode: Callable[[events.Episode], None],
        on_past: Callable[[ProcessorOutput], None] = lambda _: None,
        on_dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._steadiness = steadiness
        self._is_recorded = is_recorded
        self._on_reading = on_reading
        self._on_episode = on_episode
        self._on_past = on_past
        self._on_dropped = on_dropped
        self._steadies: dict[str, SourceProcessor] = {}
        self._cursors: dict[str, bytes] = {}
        self._told_from_ms: dict[str, int] = {}
        self._resumed: set[str] = set()
        """Those that were begun with a snapshot: what they are told of the past is what others are."""
        self._erased: list[ErasureScope] = []
        self.snapshots = Snapshots(client, steadiness, self._snapshots)

    async def begin(self, source: str) -> bytes:
        """Follow a source from now on; the entry of its results stream behind which to read."""
        erased = len(self._erased)
        snapshot = await self.snapshots.load(source)
        return self.follow(source, snapshot if len(self._erased) == erased else None)

    def follow(self, source: str, snapshot: Snapshot | None) -> bytes:
        """Follow a source from a snapshot, or else from the beginning; the entry behind which to read."""
        self._resumed.discard(source)
        if snapshot is not None:
            self._resumed.add(source)
        else:
            snapshot = Snapshot(BEGINNING.decode(), SourceProcessor(self._steadiness, self._is_recorded(source)))
        self._steadies[source], self._cursors[source] = snapshot.steady, snapshot.cursor.encode()
        self._told_from_ms[source] = self._clock.now_ms() - FRESH_MS
        return self._cursors[source]

    def take(self, source: str, entry: bytes, outcome: Outcome) -> None:
        """The next entry of a source's results."""
        if (steady := self._steadies.get(source)) is None:
            return  # it went while this was read
        entry_ms, self._cursors[source] = int(entry.partition(b"-")[0]), entry
        if any(span.covers(source, entry_ms) for span in self._erased):
            return
        dropped = steady.dropped
        told = steady.process(entry_ms, outcome)
        if steady.dropped > dropped:
            self._on_dropped()
        if entry_ms >= self._told_from_ms[source]:
            self._tell(told)
        elif source in self._resumed and not steady.recorded:
            for one in told:
                self._on_past(one)

    def pass_time(self, source: str, now_ms: int) -> None:
        """All that was stored up to `now_ms`, in Redis's time, has been taken."""
        if source in self._steadies and now_ms >= self._told_from_ms[source]:
            self._tell(self._steadies[source].advance_time(now_ms))

    def forget(self, source: str) -> None:
        """The source is gone; what still runs of it ends."""
        if steady := self._steadies.pop(source, None):
            self._tell(steady.end())
            del self._cursors[source], self._told_from_ms[source]

    def erase(self, span: ErasureScope) -> None:
        """Go on with the sources of a span as if they began now; what runs of them ends.

        What was stored in the span is passed over from now on: it may be on its way here.
        """
        self._erased.append(span)
        for name in self._steadies if span.source is None else {span.source} & self._steadies.keys():
            ended, self._steadies[name] = (
                self._steadies[name],
                SourceProcessor(self._steadiness, self._is_recorded(name)),
            )
            self._tell(ended.end())

    def gaps(self, source: str) -> int:
        """How often frames of the source which were sent to the workers did not come back."""
        return self._steadies[source].gaps if source in self._steadies else 0

    def running(self) -> list[events.Episode]:
        """The episodes that run now, as updates."""
        return [episode for steady in self._steadies.values() for episode in steady.running()]

    def _tell(self, told: list[ProcessorOutput]) -> None:
        for one in told:
            if isinstance(one, SmoothedReading):
                self._on_reading(one)
            else:
                self._on_episode(one)

    def _snapshots(self) -> dict[str, Snapshot]:
        return {source: Snapshot(self._cursors[source].decode(), one) for source, one in self._steadies.items()}
