"""The commit of outcomes: acknowledge first, and only what was still pending gets an outcome.

Membership in the group's pending list is what makes an outcome unique: of two workers that both classified a crop (one
was frozen and its crop claimed by the other), only the first acknowledges it, and only that one's outcome is stored.
Acknowledging first also frees memory before it takes some, so that a Redis that is out of memory still drains.
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
local crops, results, dead, alone = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, keep, job_life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, key in ipairs({results, dead, alone}) do
  local kind, wanted = redis.call('TYPE', key).ok, key == alone and 'set' or 'stream'
  -- Known before the first acknowledgement: a script that fails half way is not undone.
  if kind ~= 'none' and kind ~= wanted then return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind) end
end

-- A result of the form: its names, each with a place for a value behind it, then what is the same in all.
local names, shared = unpack(cjson.decode(ARGV[4]))
local form, own, at = {results, '*'}, #names, 5
for number, name in ipairs(names) do
  form[2 * number + 1], form[2 * number + 2] = name, ''
end
for number, part in ipairs(shared) do
  form[2 * own + 2 + number] = part
end

local mine, ids, added = {}, {}, {}
while at <= #ARGV do
  if redis.call('XACK', crops, group, ARGV[at]) == 1 then
    mine[#mine + 1], ids[#ids + 1] = at, ARGV[at]
  end
  local count = ARGV[at + 1] == 'form' and own or tonumber(ARGV[at + 2]) + 1
  at = at + 2 + count
end
if #mine > 0 then
  redis.call('XDEL', crops, unpack(ids))
  if redis.call('EXISTS', alone) == 1 then redis.call('SREM', alone, unpack(ids)) end
end
for _, first in ipairs(mine) do
  local target = ARGV[first + 1]
  local key = target == 'dead' and dead or results
  if target == 'form' then
    for number = 1, own do form[2 * number + 2] = ARGV[first + 1 + number] end
    redis.call('XADD', unpack(form))
  else
    redis.call('XADD', key, '*', unpack(ARGV, first + 3, first + 2 + tonumber(ARGV[first + 2])))
  end
  added[key] = true
end

if keep > 0 then
  for key in pairs(added) do redis.call('XTRIM', key, 'MAXLEN', '~', keep) end
else
  -- What was made anew here has to expire, too, even if the process that runs the job is gone.
  local life = redis.call('TTL', crops)
  if life < 0 then life = job_life end
  for _, key in ipairs(KEYS) do
    if redis.call('TTL', key) == -1 then redis.call('EXPIRE', key, math.max(life, 1)) end
  end
end
return #mine
"""

_COMMIT_SHA = hashlib.sha1(COMMIT.encode(), usedforsecurity=False).hexdigest()

REMOVE_CONSUMER = """
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if pending.err or #pending > 0 then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) + 1
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The outcome of one entry of a crops stream, and where it goes."""

    entry: bytes
    """The id of the entry that this is the outcome of."""
    target: Literal["results", "dead"]
    fields: Mapping[bytes, bytes]


class BatchTemplate(NamedTuple):
    """What many results have in common, so that it is sent once: most of a commit's cost is the number of its parts."""

    names: tuple[bytes, ...]
    """Of the fields that each has for itself; UTF-8."""
    shared: Mapping[bytes, bytes]
    """The fields that are the same in all; UTF-8."""

    def filled(self, values: Sequence[bytes]) -> dict[bytes, bytes]:
        """The fields of a result with these values of its own; those of the last names may be missing."""
        return dict(zip(self.names, values, strict=False)) | dict(self.shared)

    def encode(self) -> bytes:
        """For the script, which can then be told in one part."""
        shared = [part.decode() for pair in self.shared.items() for part in pair]
        return json.dumps([[name.decode() for name in self.names], shared]).encode()


BLANK = BatchTemplate((), {})


class TemplateResult(NamedTuple):
    """An outcome that goes to the results: the values, in the order of the form's names."""

    entry: bytes
    values: tuple[bytes, ...]


def commit(
    client: redis.Redis,
    outcomes: Mapping[str, Sequence[Outgoing | TemplateResult]],
    keep: Mapping[str, int],
    form: BatchTemplate = BLANK,
) -> dict[str, int]:
    """Commit the outcomes of each source, one atomic call a source, all in one round trip.

    Args:
        client: for commands.
        outcomes: by source.
        keep: by source: about how many results (and dead entries) stay; 0 keeps all, which a job needs; its keys
            then expire unless they are renewed.
        form: of those outcomes that are `TemplateResult`.

    Returns:
        By source, how many were committed; the others had been claimed and finished by somebody else.

    Raises:
        redis.exceptions.ResponseError: a key of a source is of another type; the other sources were committed.
    """
    head = form.encode()
    calls = {source: _call(source, keep[source], head, outgoing) for source, outgoing in outcomes.items()}
    # By its hash: for a single crop, Redis would spend as long on the text of the script as on what it does.
    replies = _replies(client, calls, known=True)
    if unknown := {source: calls[source] for source, reply in replies.items() if isinstance(reply, NoScriptError)}:
        # A server that was restarted or flushed has forgotten it, and has done nothing. EVAL makes it known again.
        replies |= _replies(client, unknown, known=False)
    for reply in replies.values():
        if isinstance(reply, Exception):
            raise reply
    return replies


def _call(source: str, keep: int, form: bytes, outgoing: Sequence[Outgoing | TemplateResult]) -> list[Any]:
    """What stands behind the script in a call: how many keys, the keys, the arguments."""
    names = keys.of_job(source)
    call: list[Any] = [len(names), *names, keys.INFERENCE_GROUP, keep, keys.JOB_KEYS_SECONDS, form]
    for one in outgoing:
        if isinstance(one, TemplateResult):
            call += (one.entry, b"form", *one.values)
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
