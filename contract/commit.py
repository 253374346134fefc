"""The commit of outcomes: acknowledge first, and only what was still pending gets an outcome.

Membership in the group's pending list is what makes an outcome unique: of two workers that both classified a crop (one
was frozen and its crop claimed by the other), only the first acknowledges it, and only that one's outcome is stored.
Acknowledging first also frees memory before it takes some, so that a Redis that is out of memory still drains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import redis

from contract import keys

# No `#!lua` line: with one, Redis would refuse the whole script when it is out of memory.
COMMIT = """
local crops, results, dead, alone = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, keep, job_life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, key in ipairs({results, dead}) do
  local kind = redis.call('TYPE', key).ok
  -- Known before the first acknowledgement: a script that fails half way is not undone.
  if kind ~= 'none' and kind ~= 'stream' then return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind) end
end
local at, committed = 4, 0
while at <= #ARGV do
  local id, target, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local first = at + 3
  at = first + count
  if redis.call('XACK', crops, group, id) == 1 then
    redis.call('XDEL', crops, id)
    redis.call('SREM', alone, id)
    local key = results
    if target == 'dead' then key = dead end
    if keep > 0 then
      redis.call('XADD', key, 'MAXLEN', '~', keep, '*', unpack(ARGV, first, at - 1))
    else
      redis.call('XADD', key, '*', unpack(ARGV, first, at - 1))
    end
    committed = committed + 1
  end
end
if keep == 0 then
  -- What was made anew here has to expire, too, even if the process that runs the job is gone.
  local life = redis.call('TTL', crops)
  if life < 0 then life = job_life end
  for _, key in ipairs(KEYS) do
    if redis.call('TTL', key) == -1 then redis.call('EXPIRE', key, math.max(life, 1)) end
  end
end
return committed
"""

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


def commit(client: redis.Redis, outcomes: Mapping[str, Sequence[Outgoing]], keep: Mapping[str, int]) -> dict[str, int]:
    """Commit the outcomes of each source, one atomic call a source, all in one round trip.

    Args:
        client: for commands.
        outcomes: by source.
        keep: by source: about how many results (and dead entries) stay; 0 keeps all, which a job needs; its keys
            then expire unless they are renewed.

    Returns:
        By source, how many were committed; the others had been claimed and finished by somebody else.

    Raises:
        redis.exceptions.ResponseError: a source's results or dead key is no stream; the other sources were committed.
    """
    pipeline = client.pipeline(transaction=False)
    for source, outgoing in outcomes.items():
        arguments: list[bytes | str | int] = [keys.INFERENCE_GROUP, keep[source], keys.JOB_KEYS_SECONDS]
        for one in outgoing:
            flat = [part for pair in one.fields.items() for part in pair]
            arguments += [one.entry, one.target, len(flat), *flat]
        names = keys.of_job(source)
        # EVAL, not EVALSHA: a restarted or flushed Redis has forgotten the script, and its text is short.
        pipeline.eval(COMMIT, len(names), *names, *arguments)
    return dict(zip(outcomes, pipeline.execute(), strict=True))


def remove_consumer(client: redis.Redis, source: str, consumer: str) -> bool:
    """Remove a consumer, unless the group is gone or the consumer has pending entries, which DELCONSUMER would drop."""
    return bool(client.eval(REMOVE_CONSUMER, 1, keys.crops(source), keys.INFERENCE_GROUP, consumer))
