"""Whether a server is one that Emotii can work with: what it says of itself, and what it does when it is tried."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import redis
from redis.exceptions import NoPermissionError, ResponseError

from contract import keys
from contract.errors import BrokerUnavailable, SettingsError, reason_of
from contract.redis.broker import connect, is_wrong_type, outages_named
from contract.service.logs import scrub

OLDEST = (6, 2)
"""The first release of Redis with XAUTOCLAIM. Valkey states it, too, as the one that it is compatible with."""
TRIAL_SECONDS = 60
KINDS = {
    **dict.fromkeys(
        (
            keys.SOURCES,
            keys.WORKERS,
            keys.ADDED_SOURCES,
            keys.SETTINGS,
            keys.JOBS,
            keys.GATEWAYS,
            keys.ERASURES,
            keys.ERASED,
        ),
        "hash",
    ),
    keys.JOBS_RUNNER: "string",
}
"""The type of each key that belongs to no source."""


@dataclass(frozen=True)
class ServerProblem:
    """Why Emotii cannot work with a server, and what to do."""

    fact: str
    remedy: str


def server_version(client: redis.Redis) -> str:
    """The name and version of a server; empty if its user may not know it.

    Raises:
        BrokerUnavailable: the server cannot be reached.
    """
    about = _info(client, "server")
    if valkey := about.get("valkey_version"):
        return f"Valkey {valkey}"
    return f"Redis {about['redis_version']}" if "redis_version" in about else ""


def find_problem(client: redis.Redis) -> ServerProblem | None:
    """What a server says of itself that makes it unusable; None if there is nothing, or its user may not know it.

    Raises:
        BrokerUnavailable: the server cannot be reached.
    """
    about = _info(client, "server")
    mode = about.get("redis_mode") or about.get("server_mode")  # the latter: Valkey
    if mode == "sentinel":
        return ServerProblem(
            "it is a Sentinel, which stores nothing",
            "name the primary server that it watches: redis-cli -p PORT sentinel get-primary-addr-by-name NAME"
            " (get-master-addr-by-name before Valkey 8)",
        )
    if mode == "cluster":
        return ServerProblem("it is a node of a cluster", "use a server without cluster-enabled; one is enough")
    version = str(about.get("redis_version", ""))
    if version and tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        return ServerProblem(f"version {version} has no XAUTOCLAIM", "use Redis 6.2 or newer, or Valkey")
    replication = _info(client, "replication")
    if replication.get("role") in {"slave", "replica"}:
        primary = f"{replication.get('master_host')}:{replication.get('master_port')}"
        return ServerProblem(f"it is a replica, which keeps no writes, of {primary}", f"name that server: {primary}")
    memory = _info(client, "memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if policy.startswith("allkeys") or (policy != "noeviction" and memory.get("maxmemory")):
        return ServerProblem(
            f"it evicts data that Emotii needs (maxmemory-policy {policy})",
            "set maxmemory-policy to noeviction: redis-cli config set maxmemory-policy noeviction, and in its file",
        )
    return None


def try_server(client: redis.Redis) -> ServerProblem | None:
    """What goes wrong when the server is used as the services use it: a stream, a group, a script, a lease.

    Nothing of it stays.

    Raises:
        BrokerUnavailable: the server cannot be reached, or cannot write now.
    """
    stream, lease = keys.crops(name := f"doctor-{uuid4().hex[:12]}"), keys.lease(name)
    try:
        with outages_named():
            client.eval("return redis.call('XADD', KEYS[1], '*', 'v', '1')", 1, stream)
            client.expire(stream, TRIAL_SECONDS)
            client.xgroup_create(stream, keys.INFERENCE_GROUP, id="0")
            client.xreadgroup(keys.INFERENCE_GROUP, name, {stream: ">"}, count=1)
            client.xautoclaim(stream, keys.INFERENCE_GROUP, name, min_idle_time=0)
            client.set(lease, name, nx=True, px=1000 * TRIAL_SECONDS)
            client.publish(keys.frames(name), b"")
            client.delete(stream, lease)
    except NoPermissionError as error:
        return ServerProblem(f"its user may not do all that Emotii does: {reason_of(error)}", "see docs/redis.md")
    except ResponseError as error:
        return ServerProblem(f"it does not do all that Emotii needs: {reason_of(error)}", "use Redis or Valkey")
    return None


def foreign_keys(client: redis.Redis) -> list[str]:
    """The keys that hold something else than Emotii keeps there, each with its type.

    Raises:
        BrokerUnavailable: the server cannot be reached.
    """
    found = []
    with outages_named():
        for key, wanted in KINDS.items():
            kind: Any = client.type(key)
            if kind.decode() not in {"none", wanted}:
                found.append(f"{key} is a {kind.decode()}, not a {wanted}")
    return found


def check_server(url: str) -> None:
    """Refuse a server that Emotii can never work with. One that cannot be reached passes: it may come later.

    Raises:
        SettingsError: the URL is not valid, or the server is unusable; the message says what to do.
    """
    clients = connect(url, "check")
    try:
        problem = find_problem(clients.commands)
    except BrokerUnavailable:
        return
    finally:
        clients.close()
    if problem:
        raise SettingsError(f"EMOTII_REDIS_URL={scrub(url)}: {problem.fact}; {problem.remedy}")


def _info(client: redis.Redis, section: str) -> dict[str, Any]:
    try:
        with outages_named():
            found: Any = client.info(section)
    except BrokerUnavailable as error:
        if isinstance(error.__cause__, NoPermissionError):
            return {}
        raise
    except ResponseError as error:
        if is_wrong_type(error):
            raise
        return {}
    return dict(found)
