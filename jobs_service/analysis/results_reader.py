"""Reading what came of a job."""

from typing import cast

import structlog
from redis.typing import KeyT, StreamIdT

from contract import keys
from contract.errors import MalformedMessage
from contract.messages import Dead, Face, Outcome, read_outcome
from contract.messages.fields import integer, time
from contract.redis.broker import BLOCK_MS, Clients, outages_named
from jobs_service.outputs.outcomes import Buried

logger = structlog.get_logger(__name__)

READ_COUNT = 512
Reply = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]


class JobResults:
    """Reads the outcomes of a job from its results and dead streams, and makes room behind itself."""

    def __init__(self, clients: Clients, source: str) -> None:
        self._clients = clients
        self._source = source
        self._cursors: dict[KeyT, StreamIdT] = {keys.results(source): b"0", keys.dead(source): b"0"}
        self._room_due = False

    def read(self) -> list[Outcome | Buried]:
        """What came since the last call; waits up to 0.5 s for something, after making room for it.

        What the last call gave is removed from Redis: the producer waits while too much of it is there.

        Raises:
            BrokerUnavailable: Redis cannot be reached; the next call goes on where this one stood.
        """
        with outages_named():
            self._make_room()
            reply = self._clients.blocking.xread(self._cursors, count=READ_COUNT, block=BLOCK_MS)
        found: list[Outcome | Buried] = []
        for stream, entries in cast(Reply, reply):
            self._cursors[stream.decode()] = entries[-1][0]
            self._room_due = True
            for _, fields in entries:
                if (outcome := self._outcome(stream.decode(), fields)) is not None:
                    found.append(outcome)
        return found

    def crops_waiting(self) -> int:
        """Entries of the crops stream, queued or being classified: an entry goes only when its outcome is stored."""
        with outages_named():
            return int(self._clients.commands.xlen(keys.crops(self._source)))

    def _outcome(self, stream: str, fields: dict[bytes, bytes]) -> Outcome | Buried | None:
        try:
            if stream == keys.results(self._source):
                return read_outcome(fields)
            return _buried(Dead.read(fields))
        except MalformedMessage as error:
            # Not of our making: a stranger wrote to our stream. Nothing of the job is missing for it.
            logger.warning("foreign entry", stream=stream, error=str(error))
            return None

    def _make_room(self) -> None:
        if self._room_due:
            results = keys.results(self._source)
            self._clients.commands.xtrim(results, minid=self._cursors[results], approximate=False)
            self._room_due = False


def _buried(dead: Dead) -> Buried:
    frame, index = integer(dead.original, b"frame"), integer(dead.original, b"face")
    try:
        return Buried(frame, index, dead.reason, time(dead.original, b"captured_ms"), Face.read(dead.original))
    except MalformedMessage:
        return Buried(frame, index, dead.reason)
