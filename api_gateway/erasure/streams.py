"""Erases in Redis: in the streams of sources, and in the append-only file behind them."""

import asyncio
from collections.abc import Iterable
from typing import cast

import redis.asyncio
from redis.exceptions import NoPermissionError, ResponseError

from contract import keys
from contract.errors import BrokerUnavailable
from contract.messages.erasure import ErasureScope
from contract.redis.broker import outages_named

LAST = "18446744073709551615"
REWRITE_SECONDS = 0.1
CLOCK_ERROR_MS = 1000
STILL_STORED_MS = 10_000
"""The outcome of a crop is stored a little later than the crop."""

# An entry that is deleted alone keeps its bytes in its node of the stream, and so in the append-only file, however
# often that is rewritten. So a stream that is not erased as a whole is written anew from what stays. Its group then
# begins with all of it: an entry that a worker holds is delivered once more, and the first of the two commits stores
# its outcome.
ERASE = """
local key, copy, from, to = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if redis.call('TYPE', key).ok ~= 'stream' then return 0 end
local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
-- Redis's clock was set back, and ids no longer tell when an entry was stored: rather too much is erased.
if newest and tonumber(string.match(newest[1], '^%d+')) > tonumber(ARGV[3]) then to = '+' end
local stays = {}
if from ~= '-' then stays = redis.call('XRANGE', key, '-', '(' .. from) end
if to ~= '+' then
  for _, entry in ipairs(redis.call('XRANGE', key, '(' .. to, '+')) do stays[#stays + 1] = entry end
end
local gone = redis.call('XLEN', key) - #stays
local groups = redis.call('XINFO', 'GROUPS', key)
if #stays == 0 then
  -- Nothing here takes memory, so this also works in a Redis that has none left.
  redis.call('XTRIM', key, 'MAXLEN', 0)
  for _, group in ipairs(groups) do
    repeat
      local pending = redis.call('XPENDING', key, group[2], '-', '+', 1000)
      for _, one in ipairs(pending) do redis.call('XACK', key, group[2], one[1]) end
    until #pending == 0
  end
  return gone
end
local about, last = redis.call('XINFO', 'STREAM', key), '0-0'
for at = 1, #about, 2 do if about[at] == 'last-generated-id' then last = about[at + 1] end end
redis.call('DEL', copy)
for _, entry in ipairs(stays) do redis.call('XADD', copy, entry[1], unpack(entry[2])) end
redis.call('XSETID', copy, last)
for _, group in ipairs(groups) do redis.call('XGROUP', 'CREATE', copy, group[2], '0') end
local life = redis.call('PTTL', key)
if life > 0 then redis.call('PEXPIRE', copy, life) end
redis.call('RENAME', copy, key)
return gone
"""


async def erase(client: redis.asyncio.Redis, scope: ErasureScope) -> int:
    """Erase what the streams hold of a scope, by when it was stored; returns how many entries it was.

    Args:
        client: for commands.
        scope: one whose end is not over yet includes everything behind its beginning.

    Raises:
        BrokerUnavailable: Redis is unavailable.
    """
    with outages_named():
        seconds, microseconds = await client.time()
        now_ms = seconds * 1000 + microseconds // 1000
        open_end = scope.to_ms + STILL_STORED_MS >= now_ms
        begin = f"{scope.from_ms}-0" if scope.from_ms else "-"
        end = "+" if open_end else f"{scope.to_ms + STILL_STORED_MS}-{LAST}"
        erased = 0
        for source in [scope.source] if scope.source is not None else await sources(client):
            for stream in (keys.inbox(source), keys.crops(source), keys.results(source), keys.dead(source)):
                erased += await client.eval(ERASE, 2, stream, keys.erasing(source), begin, end, now_ms + CLOCK_ERROR_MS)
            await client.delete(keys.snapshot(source), keys.quarantined(source))
    return erased


async def rewrite_file(client: redis.asyncio.Redis) -> None:
    """Have Redis rewrite its append-only file, if it has one: until then the file holds what was erased.

    Raises:
        BrokerUnavailable: Redis is unavailable, or could not write the file.
    """
    try:
        with outages_named():
            if resting := cast(bytes | None, await client.get(keys.NOT_DURABLE)):
                raise BrokerUnavailable(f"the file of redis may still hold it: {resting.decode(errors='replace')}")
            if not (await _persistence(client))["aof_enabled"]:
                return
            await _begin_rewrite(client)
            if (await _settled(client))["aof_last_bgrewrite_status"] != "ok":
                raise BrokerUnavailable("redis could not rewrite its append-only file; its log says why")
    except NoPermissionError as error:
        raise BrokerUnavailable(f"redis does not let this user rewrite its append-only file: {error}") from error


async def _begin_rewrite(client: redis.asyncio.Redis) -> None:
    while True:
        await _settled(client)  # a running rewrite began before the erasure
        try:
            await client.bgrewriteaof()
        except NoPermissionError:
            raise
        except ResponseError as error:
            if "in progress" not in str(error):
                raise
        else:
            return


async def _settled(client: redis.asyncio.Redis) -> dict[str, object]:
    while True:
        about = await _persistence(client)
        if not about["aof_rewrite_in_progress"] and not about["aof_rewrite_scheduled"]:
            return about
        await asyncio.sleep(REWRITE_SECONDS)


async def _persistence(client: redis.asyncio.Redis) -> dict[str, object]:
    about: dict[str, object] = await client.info("persistence")
    return about


async def sources(client: redis.asyncio.Redis) -> list[str]:
    """Every source that has keys, known to the registry or not."""
    found: set[str] = set()
    async for key in client.scan_iter(match="emotii:{*}:*", count=500):
        found.update(_source(key))
    return sorted(found)


def _source(key: bytes) -> Iterable[str]:
    name = key.decode(errors="replace").removeprefix("emotii:{").partition("}")[0]
    return [name] if keys.SOURCE_NAME.fullmatch(name) else []
