"""The commit of outcomes: acknowledge first, and store an outcome only for an entry that was still pending.

The group's pending list makes outcomes unique. Where two workers classified one crop (one was frozen and the other
claimed its crop), only the first acknowledges it, and only that worker's outcome is stored. Acknowledging first also
frees memory before it takes some, so that a Redis that is out of memory still drains.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import redis
from redis.exceptions import NoScriptError

from contract import keys

# No `#!lua` line: with one, Redis would refuse the whole script when it is out of memory.
COMMIT = """
local crops, results, dead, quarantined = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, keep, job_ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, key in ipairs({results, dead, quarantined}) do
  local kind, wanted = redis.call('TYPE', key).ok, key == quarantined and 'set' or 'stream'
  -- Checked before the first acknowledgement: a script that fails half way is not rolled back.
  if kind ~= 'none' and kind ~= wanted then return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind) end
end

-- A result by the template: its names, each followed by a place for its value, then the shared fields.
local names, shared = unpack(cjson.decode(ARGV[4]))
local template, own, at = {results, '*'}, #names, 5
for number, name in ipairs(names) do
  template[2 * number + 1], template[2 * number + 2] = name, ''
end
for number, part in ipairs(shared) do
  template[2 * own + 2 + number] = part
end

local first_arguments, ids, added = {}, {}, {}
while at <= #ARGV do
  if redis.call('XACK', crops, group, ARGV[at]) == 1 then
    first_arguments[#first_arguments + 1], ids[#ids + 1] = at, ARGV[at]
  end
  local count = ARGV[at + 1] == 'template' and own or tonumber(ARGV[at + 2]) + 1
  at = at + 2 + count
end
if #ids > 0 then
  redis.call('XDEL', crops, unpack(ids))
  if redis.call('EXISTS', quarantined) == 1 then redis.call('SREM', quarantined, unpack(ids)) end
end
for _, first in ipairs(first_arguments) do
  local target = ARGV[first + 1]
  local key = target == 'dead' and dead or results
  if target == 'template' then
    for number = 1, own do template[2 * number + 2] = ARGV[first + 1 + number] end
    redis.call('XADD', unpack(template))
  else
    redis.call('XADD', key, '*', unpack(ARGV, first + 3, first + 2 + tonumber(ARGV[first + 2])))
  end
  added[key] = true
end

if keep > 0 then
  for key in pairs(added) do redis.call('XTRIM', key, 'MAXLEN', '~', keep) end
else
  -- Keys that were created here must expire, too, even if the process that runs the job is gone.
  local ttl = redis.call('TTL', crops)
  if ttl < 0 then ttl = job_ttl end
  for _, key in ipairs(KEYS) do
    if redis.call('TTL', key) == -1 then redis.call('EXPIRE', key, math.max(ttl, 1)) end
  end
end
return #ids
"""

_COMMIT_SHA = hashlib.sha1(COMMIT.encode(), usedforsecurity=False).hexdigest()

REMOVE_CONSUMER = """
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if pending.err or #pending > 0 then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) + 1
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The outcome of one entry of a crops stream, and the stream that it is stored in."""

    entry: bytes
    """The id of the entry on the crops stream."""
    target: Literal["results", "dead"]
    fields: Mapping[bytes, bytes]


class BatchTemplate(NamedTuple):
    """The fields that the results of a batch share; they are sent once, since a commit costs most by its arguments."""

    names: tuple[bytes, ...]
    """Of the fields that differ; UTF-8."""
    shared: Mapping[bytes, bytes]
    """The fields that are the same in all results; UTF-8."""

    def filled(self, values: Sequence[bytes]) -> dict[bytes, bytes]:
        """The fields of a result with these values; the values of the last names may be missing."""
        return dict(zip(self.names, values, strict=False)) | dict(self.shared)

    def encode(self) -> bytes:
        """The template as one argument of the script."""
        shared = [part.decode() for pair in self.shared.items() for part in pair]
        return json.dumps([[name.decode() for name in self.names], shared]).encode()


BLANK = BatchTemplate((), {})


class TemplateResult(NamedTuple):
    """A result: its values, in the order of the template's names."""

    entry: bytes
    values: tuple[bytes, ...]


def commit(
    client: redis.Redis,
    outcomes: Mapping[str, Sequence[Outgoing | TemplateResult]],
    keep: Mapping[str, int],
    template: BatchTemplate = BLANK,
) -> dict[str, int]:
    """Commit the outcomes of each source, one atomic call a source, all in one round trip.

    Args:
        client: for commands.
        outcomes: by source.
        keep: by source: about how many results (and dead entries) are kept. 0 keeps all of them, which a job needs;
            its keys then expire unless they are renewed.
        template: of the outcomes that are `TemplateResult`.

    Returns:
        By source, how many were committed; other workers had claimed and finished the rest.

    Raises:
        redis.exceptions.ResponseError: a key of a source is of another type; the other sources were committed.
    """
    encoded = template.encode()
    calls = {source: _call(source, keep[source], encoded, outgoing) for source, outgoing in outcomes.items()}
    # By its hash: for a single crop, Redis would spend as long on the text of the script as on running it.
    replies = _replies(client, calls, known=True)
    if unknown := {source: calls[source] for source, reply in replies.items() if isinstance(reply, NoScriptError)}:
        # A server that was restarted or flushed does not know the script, and has done nothing. EVAL loads it again.
        replies |= _replies(client, unknown, known=False)
    for reply in replies.values():
        if isinstance(reply, Exception):
            raise reply
    return replies


def _call(source: str, keep: int, template: bytes, outgoing: Sequence[Outgoing | TemplateResult]) -> list[Any]:
    """The arguments of a call behind the script: the number of keys, the keys, the script's arguments."""
    names = keys.of_job(source)
    call: list[Any] = [len(names), *names, keys.INFERENCE_GROUP, keep, keys.JOB_KEYS_SECONDS, template]
    for one in outgoing:
        if isinstance(one, TemplateResult):
            call += (one.entry, b"template", *one.values)
        else:
            flat = [part for pair in one.fields.items() for part in pair]
            call += (one.entry, one.target, len(flat), *flat)
    return call


def _replies(client: redis.Redis, calls: Mapping[str, list[Any]], *, known: bool) -> dict[str, Any]:
    pipeline = client.pipeline(transaction=False)
    for call in calls.values():
        if known:
            pipeline.evalsha(_COMMIT_SHA, *call)
        else:
            pipeline.eval(COMMIT, *call)
    return dict(zip(calls, pipeline.execute(raise_on_error=False), strict=True))


def remove_consumer(client: redis.Redis, source: str, consumer: str) -> bool:
    """Remove a consumer, unless the group is gone or the consumer has pending entries, which DELCONSUMER would drop."""
    return bool(client.eval(REMOVE_CONSUMER, 1, keys.crops(source), keys.INFERENCE_GROUP, consumer))
