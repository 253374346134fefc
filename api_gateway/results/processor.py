"""Processes the outcomes of all sources, each from where another gateway's snapshot or its results stream begins."""

from collections.abc import Callable, Sequence

import redis.asyncio
import structlog

from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.sinks import ProcessedReading, ResultSink
from api_gateway.results.snapshots import Snapshot, Snapshots
from contract import events
from contract.messages import Outcome
from contract.messages.erasure import ErasureScope
from contract.redis.clock import RedisClock
from contract.redis.stored import entry_ms as time_of
from contract.redis.stored import id_order
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import ProcessorOutput, SourceProcessor
from postprocessing.track_processor import SmoothedReading

logger = structlog.get_logger()
CLOCK_STEP_MS = 1000
"""No error of an estimate of Redis's clock is as large: it was set."""
FRESH_MS = 1000
"""Outcomes that were stored earlier than this before a source was followed are processed without being published. The
registry may name a new source half a second late."""
LIVE_STATE_MS = 10_000
"""The state of a source (pending frames, smoothing) holds nothing older than this, counted from its newest entry."""
BEGINNING = b"0-0"


class ResultProcessor:
    """Holds one `SourceProcessor` a source, and gives every result to the sinks, in their order.

    Args:
        client: for commands.
        clock: Redis's.
        parameters: of the smoothing.
        erased: what must not be published any more.
        sinks: receive each reading in the order of the frames of its source, and each event of an episode.
        backfill: receives what no gateway was there to process: the results since the last snapshot.
        is_recorded: returns whether the source of a name is a recording.
        on_dropped: called for each outcome that was a repetition, or came too late for its place.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: RedisClock,
        parameters: SmoothingParameters,
        *,
        erased: ErasedScopes,
        sinks: Sequence[ResultSink],
        backfill: ResultSink,
        is_recorded: Callable[[str], bool],
        on_dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._parameters = parameters
        self._erased = erased
        self._sinks = sinks
        self._backfill = backfill
        self._is_recorded = is_recorded
        self._on_dropped = on_dropped
        self._sources: dict[str, SourceProcessor] = {}
        self._cursors: dict[str, bytes] = {}
        self._published_from_ms: dict[str, int] = {}
        self._now_ms = 0
        """Redis's time when it was read last."""
        self._resumed: set[str] = set()
        """The sources that began with a snapshot: what they find in the past is what other gateways found."""
        self.snapshots = Snapshots(client, parameters, self._snapshots)

    async def begin(self, source: str, end: bytes) -> bytes:
        """Follow a source from now on; returns the id of the entry behind which its results are to be read.

        Args:
            source: its name.
            end: the id of the last entry of its results, 0-0 if there is none.
        """
        erasures = self._erased.added
        snapshot = await self.snapshots.load(source)
        if snapshot is not None and end != BEGINNING and id_order(end) < id_order(snapshot.cursor.encode()):
            snapshot = None  # of a stream that was lost; this one began anew after Redis's clock was set back
        return self.follow(source, snapshot if self._erased.added == erasures else None)

    def follow(self, source: str, snapshot: Snapshot | None) -> bytes:
        """Follow a source from a snapshot, or else from the beginning; returns the id behind which to read."""
        self._resumed.discard(source)
        if snapshot is not None and snapshot.state.newest_ms() > self._clock.now_ms() + CLOCK_STEP_MS:
            snapshot = Snapshot(snapshot.cursor, self._new_state(source))  # of before Redis's clock was set back
        if snapshot is not None:
            self._resumed.add(source)
        else:
            snapshot = Snapshot(BEGINNING.decode(), self._new_state(source))
        self._sources[source], self._cursors[source] = snapshot.state, snapshot.cursor.encode()
        self._published_from_ms[source] = self._clock.now_ms() - FRESH_MS
        return self._cursors[source]

    def process(self, source: str, entry: bytes, outcome: Outcome) -> None:
        """The next entry of a source's results stream."""
        if (state := self._sources.get(source)) is None:
            return  # it went while this was read
        self._cursors[source] = entry
        self._notice_clock()
        # After Redis's clock was set back, the ids of new entries go on from the later time.
        entry_ms = stored_ms if (stored_ms := time_of(entry)) <= self._now_ms + CLOCK_STEP_MS else self._now_ms
        state = self._sources[source]
        if self._erased.cover(source, entry_ms):
            return
        dropped = state.dropped
        results = state.process(entry_ms, outcome)
        if state.dropped > dropped:
            self._on_dropped()
        if entry_ms >= self._published_from_ms[source]:
            self._publish(results, live=not state.recorded)
        elif source in self._resumed and not state.recorded:
            for result in results:
                self._give(result, self._backfill, live=True, arrived=False)

    def advance_time(self, source: str, now_ms: int) -> None:
        """Everything that was stored up to `now_ms`, in Redis's time, has been processed."""
        self._notice_clock()
        state = self._sources.get(source)
        if state and now_ms >= self._published_from_ms[source]:
            self._publish(state.advance_time(now_ms), live=not state.recorded)

    def _notice_clock(self) -> None:
        """Where Redis's clock was set back, begin all sources anew: their states hold times that come again later."""
        before_ms, self._now_ms = self._now_ms, self._clock.now_ms()
        if self._now_ms > before_ms - CLOCK_STEP_MS:
            return
        logger.warning("redis's clock was set back", seconds=round((before_ms - self._now_ms) / 1000))
        for name, state in list(self._sources.items()):
            self._sources[name] = self._new_state(name)
            self._published_from_ms[name] = self._now_ms - FRESH_MS
            self._publish(state.end(), live=not state.recorded)

    def forget(self, source: str) -> None:
        """The source does not exist any more; its running episodes end."""
        if state := self._sources.pop(source, None):
            self._publish(state.end(), live=not state.recorded)
            del self._cursors[source], self._published_from_ms[source]
        for sink in self._sinks:
            sink.gone(source)

    def erase(self, scope: ErasureScope) -> None:
        """End the running episodes of a scope, and go on with their sources as if they began now.

        A source goes on undisturbed if neither its state nor a running episode holds anything of the scope.
        """
        now_ms = self._clock.now_ms()
        for name, state in list(self._sources.items()):
            newest_ms = min(now_ms, time_of(self._cursors[name]))
            in_state = scope.overlaps(name, newest_ms - LIVE_STATE_MS, now_ms)
            if in_state or any(scope.overlaps(name, one.start_ms, one.end_ms) for one in state.running()):
                self._sources[name] = self._new_state(name)
                self._publish(state.end(), live=not state.recorded)

    def gaps(self, source: str) -> int:
        """How often frames of the source that were sent to the workers did not come back."""
        return self._sources[source].gaps if source in self._sources else 0

    def running(self) -> list[events.Episode]:
        """The episodes that run now, as updates."""
        return [episode for state in self._sources.values() for episode in state.running()]

    def _publish(self, results: Sequence[ProcessorOutput], *, live: bool) -> None:
        for result in results:
            self._give(result, *self._sinks, live=live, arrived=True)

    def _give(self, result: ProcessorOutput, *sinks: ResultSink, live: bool, arrived: bool) -> None:
        if isinstance(result, SmoothedReading):
            reading = self._processed(result, live=live, arrived=arrived)
            for sink in sinks:
                sink.reading(reading)
        else:
            for sink in sinks:
                sink.episode(result, live=live)

    def _processed(self, smoothed: SmoothedReading, *, live: bool, arrived: bool) -> ProcessedReading:
        """The reading with its event; it has a latency only if it is live and has just arrived."""
        reading, now_ms = smoothed.reading, max(self._clock.now_ms(), smoothed.entry_ms)
        timed = live and arrived
        event = events.Reading.from_message(
            reading,
            events.Answer.of(smoothed.probabilities, smoothed.judgement) if smoothed.judgement else None,
            age_ms=max(0, now_ms - reading.captured_ms) if timed else None,
            stages=events.Stages.of(reading, smoothed.entry_ms, now_ms) if timed else None,
        )
        return ProcessedReading(smoothed, event, live, reading.captured_ms if live else now_ms)

    def _new_state(self, source: str) -> SourceProcessor:
        return SourceProcessor(self._parameters, self._is_recorded(source))

    def _snapshots(self) -> dict[str, Snapshot]:
        return {source: Snapshot(self._cursors[source].decode(), state) for source, state in self._sources.items()}
