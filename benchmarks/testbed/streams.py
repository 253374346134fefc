"""Reading the entries of a stream."""

from typing import Any

import redis


def stream_entries(client: redis.Redis, stream: str, count: int | None = None) -> list[dict[bytes, bytes]]:
    """The fields of the entries, oldest first.

    Args:
        client: of Redis, without decoding.
        stream: its key.
        count: the maximum number.
    """
    reply: Any = client.xrange(stream, count=count)
    return [fields for _, fields in reply]
