"""The conservation law: what was added is ok, stale, dead, trimmed, erased or waiting, and nothing is there twice."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import redis

from contract import keys
from contract.messages import Dead, Reading, read_outcome

PAGE = 1000


@dataclass(frozen=True)
class Balance:
    """Crops, by what became of them."""

    added: int
    ok: int = 0
    stale: int = 0
    dead: int = 0
    trimmed: int = 0
    """Whose outcome went from the stream before it was read here: a live source's streams are bounded."""
    erased: int = 0
    """Crops that were deleted on purpose before they had an outcome."""
    backlog: int = 0
    duplicates: int = 0
    """Outcomes beyond the first of a crop."""

    @property
    def lost(self) -> int:
        """Crops without an account; negative if there are more than were added."""
        return self.added - self.ok - self.stale - self.dead - self.trimmed - self.erased - self.backlog

    @property
    def settled(self) -> bool:
        """Whether every crop has its outcome."""
        return self.backlog == 0 and self.lost == 0

    def __str__(self) -> str:
        return (
            f"added={self.added} ok={self.ok} stale={self.stale} dead={self.dead} trimmed={self.trimmed} "
            f"erased={self.erased} backlog={self.backlog} lost={self.lost} duplicates={self.duplicates}"
        )

    def __add__(self, other: "Balance") -> "Balance":
        return Balance(*(mine + theirs for mine, theirs in zip(_counts(self), _counts(other), strict=True)))


def _counts(balance: Balance) -> tuple[int, ...]:
    return tuple(vars(balance).values())


class Ledger:
    """Keeps account of the crops of one source, as a reader of its results and dead streams sees them.

    For streams that hold crops alone, no "frame done". Crops go by the word of `Reading.crop_id`.

    Args:
        client: straight to the server, past the proxy and its faults.
        source: whose crops.
        makes_room: whether what was read is removed from the results, as the reader of a job does.
    """

    def __init__(self, client: redis.Redis, source: str, *, makes_room: bool = False) -> None:
        self.source = source
        self.readings: dict[str, Reading] = {}
        """The first of each crop that was classified or stale."""
        self.dead_letters: dict[str, Dead] = {}
        self.seen: Counter[str] = Counter()
        self._client = client
        self._makes_room = makes_room
        self._streams = (keys.results(source), keys.dead(source))
        self._cursors = dict.fromkeys(self._streams, b"0-0")
        self._read = dict.fromkeys(self._streams, 0)
        """Entries read since the stream was made: the server's own count of what was added starts there, too."""
        self._added: set[str] = set()
        self._erased: set[str] = set()
        self._trimmed = 0
        self._lock = Lock()

    def add(self, crops: Iterable[str]) -> None:
        """These were sent, or are just being sent."""
        self._added.update(crops)

    def erase(self, crops: Iterable[str]) -> None:
        """These were deleted on purpose; those that have an outcome already do not count as erased."""
        self._erased.update(crops)

    @property
    def added(self) -> int:
        return len(self._added)

    @property
    def repeated(self) -> list[str]:
        """The crops that had more than one outcome so far."""
        return [crop for crop, times in self.seen.items() if times > 1]

    def read(self) -> None:
        """Read new entries since the last call. Where the streams are trimmed, call it often enough."""
        with self._lock:
            for stream in self._streams:
                while page := self._page(stream):
                    self._take(stream, page)
                    if self._makes_room:
                        self._client.xtrim(stream, minid=self._cursors[stream], approximate=False)

    def balance(self) -> Balance:
        """The account as of this moment."""
        self.read()
        with self._lock:
            pipeline = self._client.pipeline(transaction=True)
            self._look(pipeline)
            waiting, trimmed = self._take_look(pipeline.execute(raise_on_error=False))
            return self._balance(len(waiting), self._trimmed + trimmed)

    def flush(self) -> None:
        """FLUSHALL, with what that erases counted in the same transaction. With several sources: `flush_all`."""
        flush_all(self._client, [self])

    def streams_are_new(self, trimmed: int = 0) -> None:
        """The server forgot the streams and begins them anew; `trimmed` is how many outcomes went unread before."""
        self._trimmed += trimmed
        self._cursors = dict.fromkeys(self._streams, b"0-0")
        self._read = dict.fromkeys(self._streams, 0)

    def _page(self, stream: str) -> Any:
        return self._client.xrange(stream, f"({self._cursors[stream].decode()}", "+", count=PAGE)

    def _take(self, stream: str, entries: Any) -> None:
        for entry, fields in entries:
            self._cursors[stream] = entry
            self._read[stream] += 1
            if stream == keys.dead(self.source):
                letter = Dead.read(fields)
                crop = letter.crop_id or letter.entry
                self.dead_letters.setdefault(crop, letter)
            else:
                reading = read_outcome(fields)
                assert isinstance(reading, Reading), f"not an outcome of a crop: {reading}"
                crop = reading.crop_id
                self.readings.setdefault(crop, reading)
            self.seen[crop] += 1

    def _look(self, pipeline: Any) -> None:
        pipeline.xrange(keys.crops(self.source))
        for stream in self._streams:
            pipeline.xrange(stream, f"({self._cursors[stream].decode()}")
            pipeline.xinfo_stream(stream)

    def _take_look(self, replies: list[Any]) -> tuple[list[str], int]:
        """The number of unclassified crops, and of outcomes trimmed unread since the streams were created."""
        waiting, *outcomes = replies
        trimmed = 0
        for stream, entries, about in zip(self._streams, outcomes[::2], outcomes[1::2], strict=True):
            self._take(stream, entries)
            if not isinstance(about, Exception):  # no such key: nothing was ever stored there
                trimmed += max(0, about["entries-added"] - self._read[stream])  # a power cut takes back both
        return [_crop_id(fields) for _, fields in waiting], trimmed

    def _balance(self, backlog: int, trimmed: int) -> Balance:
        ok = [crop for crop, reading in self.readings.items() if not reading.stale]
        return Balance(
            added=len(self._added),
            ok=len(ok),
            stale=len(self.readings) - len(ok),
            dead=len(self.dead_letters.keys() - self.readings.keys()),
            trimmed=trimmed,
            erased=len(self._erased - self.seen.keys()),
            backlog=backlog,
            duplicates=sum(self.seen.values()) - len(self.seen),
        )


def flush_all(client: redis.Redis, ledgers: list[Ledger]) -> None:
    """FLUSHALL, with what that erases of each source counted in the same transaction."""
    for ledger in ledgers:
        ledger._lock.acquire()
    try:
        pipeline = client.pipeline(transaction=True)
        for ledger in ledgers:
            ledger._look(pipeline)
        pipeline.flushall()
        replies = pipeline.execute(raise_on_error=False)
        each = len(replies[:-1]) // len(ledgers)
        for number, ledger in enumerate(ledgers):
            waiting, trimmed = ledger._take_look(replies[number * each : (number + 1) * each])
            ledger.erase(waiting)
            ledger.streams_are_new(trimmed)
    finally:
        for ledger in ledgers:
            ledger._lock.release()


def _crop_id(fields: dict[bytes, bytes]) -> str:
    return ":".join(
        fields.get(name, b"?").decode(errors="replace") for name in (b"source", b"epoch", b"frame", b"face")
    )
