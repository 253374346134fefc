"""The hash of added sources, as several processes keep it: what Redis loses, those who knew it write back.

A field that is gone was removed by somebody only if the revision in the hash is not older than the one that a process
has seen. Otherwise Redis was flushed, evicted the key, or lost its last second in a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.keys import SOURCE_NAME
from contract.redis.stored import LONGEST_VALUE

REVISION = b":revision"
"""A field of `keys.ADDED_SOURCES`, one higher with each change; no source can have this name."""
MOST_DIGITS = 15
HIGHEST_REVISION = 10**MOST_DIGITS - 1
"""It is kept: a higher one could not be read, and would be restored for ever. Nobody reaches it by adding sources."""
_BUMP = f"""
local revision = tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', math.min(revision + 1, {HIGHEST_REVISION})))
return 1
"""
ADD = f"if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 0 then return 0 end {_BUMP}"
"""EVAL: `REVISION`, a name, its value. Returns 0 if there is a source of this name."""
PUT = f"""
if redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[3] then return 1 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
{_BUMP}
"""
"""EVAL, as `ADD`, but a source of this name is replaced."""
REMOVE = f"if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then return 0 end {_BUMP}"
"""EVAL: `REVISION`, a name. Returns 0 if there is no such source."""
RESTORE = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
local removed = tonumber(ARGV[4])
for i = 5, 4 + removed do redis.call('HDEL', KEYS[1], ARGV[i]) end
for i = 5 + removed, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
"""
"""EVAL with the arguments of a `Restoration`. Returns 0 if another process was faster."""


@dataclass(frozen=True)
class Restoration:
    """What is to be written back."""

    expected: bytes
    """The revision that Redis holds now, as it is stored; empty if it holds none."""
    revision: int
    sources: Mapping[bytes, bytes]
    """By name, all that there should be."""
    removed: tuple[bytes, ...] = ()
    """Names of sources that were removed before, and that Redis holds again."""
    lost: tuple[str, ...] = ()
    """Names of sources that Redis holds no more."""

    @property
    def arguments(self) -> list[bytes | int]:
        """Of `RESTORE`, after `REVISION`."""
        sources = [part for pair in self.sources.items() for part in pair]
        return [self.expected, self.revision, len(self.removed), *self.removed, *sources]


class KnownSources:
    """What one process knows of the hash."""

    def __init__(self) -> None:
        self._revision: int | None = None
        """None until the hash has one; until then it is believed as it is."""
        self._removed: set[bytes] = set()
        self.sources: Mapping[bytes, bytes] = {}
        """By name, the values as they are stored."""

    def changed(self, name: str, value: str | None) -> None:
        """This process itself has stored a source, or removed it (None): known before Redis is read again."""
        field = name.encode()
        others = {other: kept for other, kept in self.sources.items() if other != field}
        self.sources = others if value is None else {**others, field: value.encode()}
        self._removed = self._removed | {field} if value is None else self._removed - {field}
        self._revision = min((self._revision or 0) + 1, HIGHEST_REVISION)

    def follow(self, stored: Mapping[bytes, bytes]) -> Restoration | None:
        """Take over what Redis holds, or return what Redis has lost; until it is written back, `sources` stay."""
        raw = stored.get(REVISION, b"")
        revision = int(raw) if raw.isdigit() and len(raw) <= MOST_DIGITS else None
        found = {name: value for name, value in stored.items() if name != REVISION}
        if self._revision is None or (revision is not None and revision >= self._revision):
            self._removed = (self._removed | _worth_keeping(self.sources).keys()) - found.keys()
            self.sources, self._revision = found, revision
            # Sources of an older release, without a revision, get one: from then on their loss is noticed.
            return Restoration(raw, 1, {}) if found and revision is None else None
        kept = _worth_keeping(self.sources)
        known = {name: value for name, value in _worth_keeping(found).items() if name not in self._removed} | kept
        lost = tuple(sorted(name.decode() for name in kept.keys() - found.keys()))
        revision = min(self._revision + 1, HIGHEST_REVISION)
        return Restoration(raw, revision, known, tuple(sorted(found.keys() & self._removed)), lost)


def _worth_keeping(stored: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The fields that can be a source, perhaps of a later release. What is malformed is not written back."""
    return {
        name: value
        for name, value in stored.items()
        if len(value) <= LONGEST_VALUE and SOURCE_NAME.fullmatch(name.decode(errors="replace"))
    }
