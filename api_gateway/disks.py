"""The disks that Emotii writes to, and why one cannot be written to now. Live results need none of them."""

import redis.asyncio

from api_gateway.faces.saver import FaceSaver
from api_gateway.history.service import HistoryService
from contract import keys

LONGEST = 200


class RedisDisk:
    """Whether Redis can store what it holds on its disk, and whether it takes writes at all.

    Args:
        client: for commands.
    """

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self.trouble = ""
        """Why what Redis holds is not stored on its disk now; empty if it is, or if nobody asked it to."""
        self.refuses_writes = False
        """Whether Redis refuses every write because of that."""

    def refusal(self) -> str:
        """Why Redis refuses every write; empty if it does not."""
        return self.trouble if self.refuses_writes else ""

    async def poll(self) -> None:
        """Ask Redis.

        Raises:
            redis.RedisError: Redis is unreachable.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.get(keys.NOT_DURABLE)
        pipeline.info("persistence")
        said, about = await pipeline.execute()
        self.refuses_writes = bool(about.get("aof_enabled")) and about.get("aof_last_write_status", "ok") != "ok"
        if self.refuses_writes:
            self.trouble = "Redis cannot write its append-only file and refuses every write: its disk is full or broken"
        elif said:
            self.trouble = said[:LONGEST].decode(errors="replace")
        elif about.get("rdb_last_bgsave_status", "ok") != "ok":
            self.trouble = "Redis cannot write its snapshot and may refuse writes: its disk is full or broken"
        else:
            self.trouble = ""


class Disks:
    """All of them: of Redis, of the saved faces and of the history."""

    def __init__(self, redis_disk: RedisDisk, saver: FaceSaver, history: HistoryService) -> None:
        self._redis_disk = redis_disk
        self._saver = saver
        self._history = history

    def troubles(self) -> tuple[str, ...]:
        """Why something cannot be stored now, by disk; every sentence names the setting of its disk, and no path."""
        found = (self._redis_disk.trouble, self._saver.paused, self._history.disk_trouble)
        return tuple(trouble for trouble in found if trouble)
