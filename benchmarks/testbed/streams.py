"""What stands on a stream."""

from typing import Any

import redis


def stream_entries(client: redis.Redis, stream: str, count: int | None = None) -> list[dict[bytes, bytes]]:
    """The fields of its entries, the oldest first.

    Args:
        client: of Redis; decodes nothing.
        stream: its key.
        count: only so many.
    """
    reply: Any = client.xrange(stream, count=count)
    return [fields for _, fields in reply]
