"""Reading the outcomes of a job from Redis."""

from typing import cast

import structlog
from redis.typing import KeyT, StreamIdT

from contract import keys
from contract.errors import MalformedMessage, reason_of
from contract.messages import Dead, Face, Outcome, read_outcome
from contract.messages.fields import integer, time
from contract.redis.broker import BLOCK_MS, Clients, outages_named
from jobs_service.outputs.outcomes import UnclassifiedFace

logger = structlog.get_logger(__name__)

READ_COUNT = 512
Reply = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]


class ResultsReader:
    """Reads the results and the dead letters of a job, and removes results that it has returned."""

    def __init__(self, clients: Clients, source: str) -> None:
        self._clients = clients
        self._source = source
        self._cursors: dict[KeyT, StreamIdT] = {keys.results(source): b"0", keys.dead(source): b"0"}
        self._trim_due = False

    def read(self) -> list[Outcome | UnclassifiedFace]:
        """The outcomes since the last call; waits up to 0.5 s for some.

        It first removes from Redis what the last call returned, because the producer waits while Redis holds too much.

        Raises:
            BrokerUnavailable: Redis cannot be reached; the next call continues where this one was.
        """
        with outages_named():
            self._trim()
            reply = self._clients.blocking.xread(self._cursors, count=READ_COUNT, block=BLOCK_MS)
        found: list[Outcome | UnclassifiedFace] = []
        for stream, entries in cast(Reply, reply):
            self._cursors[stream.decode()] = entries[-1][0]
            self._trim_due = True
            for _, fields in entries:
                if (outcome := self._outcome(stream.decode(), fields)) is not None:
                    found.append(outcome)
        return found

    def crops_waiting(self) -> int:
        """Entries of the crops stream, queued or being classified: an entry is deleted when its outcome is stored.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            return int(self._clients.commands.xlen(keys.crops(self._source)))

    def _outcome(self, stream: str, fields: dict[bytes, bytes]) -> Outcome | UnclassifiedFace | None:
        try:
            if stream == keys.results(self._source):
                return read_outcome(fields)
            return _unclassified(Dead.read(fields))
        except MalformedMessage as error:
            # No worker of ours wrote it. The outcome of every crop that we sent is still expected.
            logger.warning("foreign entry ignored", stream=stream, error=reason_of(error))
            return None

    def _trim(self) -> None:
        if self._trim_due:
            results = keys.results(self._source)
            self._clients.commands.xtrim(results, minid=self._cursors[results], approximate=False)
            self._trim_due = False


def _unclassified(dead: Dead) -> UnclassifiedFace:
    frame, index = integer(dead.original, b"frame"), integer(dead.original, b"face")
    try:
        captured_ms, face = time(dead.original, b"captured_ms"), Face.read(dead.original)
    except MalformedMessage:
        return UnclassifiedFace(frame, index, dead.reason)
    return UnclassifiedFace(frame, index, dead.reason, captured_ms, face)
