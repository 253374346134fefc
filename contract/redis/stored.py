"""Reading hashes of Redis whose values are messages in JSON, whoever wrote them.

Anybody who reaches Redis can write anything there, and what is stored is read again after every restart. So a value
that is too long, that is no message, or that lies under another name than its own is skipped, and a key of another
type is read as empty. Both are logged once, by key and field and without the content, until they are gone.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Generic, TypeVar, cast

import redis
import redis.asyncio
import structlog
from pydantic import BaseModel, ValidationError
from redis.exceptions import ResponseError

from contract.messages.fields import LATEST_MS
from contract.redis.broker import WRONG_TYPE, is_wrong_type

logger = structlog.get_logger(__name__)

LONGEST_VALUE = 64 * 1024
LONGEST_FIELD = 256
MOST_FIELDS = 10_000
SHOWN_FIELDS = 5

MOST_DIGITS = 18
Message = TypeVar("Message", bound=BaseModel)


def integer(value: bytes) -> int | None:
    """A stored whole number, 0 or above, that fits into 64 bits; None if it is something else."""
    return int(value) if value.isdigit() and len(value) <= MOST_DIGITS else None


def entry_ms(entry: bytes) -> int:
    """The time in the id of a stream's entry, in ms. An id may be any number; a later time than any is cut off."""
    return min(int(entry.partition(b"-")[0]), LATEST_MS)


def id_order(entry: bytes) -> tuple[int, int]:
    """The id of a stream's entry as a value that sorts as the ids do."""
    ms, _, number = entry.partition(b"-")
    return int(ms), int(number)


class StoredHash(Generic[Message]):
    """One hash.

    Args:
        key: of the hash.
        model: of its values.
        named_by: the field of the model that repeats the name of the hash's field; None: no field does.
    """

    def __init__(self, key: str, model: type[Message], named_by: str | None = None) -> None:
        self.key = key
        self._model = model
        self._named_by = named_by
        self.ignored: frozenset[str] = frozenset()
        """The fields that the last `read` skipped; the empty name is that of a field, or stands for the whole key."""
        self.whole = True
        """Whether the last `read` could read the key: otherwise it returned nothing, or not all."""

    def read(self, client: redis.Redis) -> dict[str, Message]:
        """The messages by field."""
        try:
            return self.parse(client.hgetall(self.key))
        except ResponseError as error:
            return self.parse(error)

    async def read_async(self, client: redis.asyncio.Redis) -> dict[str, Message]:
        """As `read`, for asyncio."""
        try:
            return self.parse(await client.hgetall(self.key))
        except ResponseError as error:
            return self.parse(error)

    def parse(self, reply: object) -> dict[str, Message]:
        """The messages in a reply to HGETALL, which a pipeline may have in place of an error.

        Raises:
            Exception: the reply is an error other than that of a key of another type.
        """
        if isinstance(reply, Exception):
            if not is_wrong_type(reply):
                raise reply
            self.whole = False
            self._ignore({"": f"{WRONG_TYPE}: the key is no hash"})
            return {}
        found: dict[str, Message] = {}
        ignored: dict[str, str] = {}
        stored = cast(Mapping[bytes, bytes], reply)
        self.whole = len(stored) <= MOST_FIELDS
        if not self.whole:
            ignored[""] = f"it has {len(stored)} fields; those after the first {MOST_FIELDS} are skipped"
        for field, value in islice(stored.items(), MOST_FIELDS):
            message = self._message(field, value)
            if isinstance(message, str):
                ignored[field[:LONGEST_FIELD].decode(errors="replace")] = message
            else:
                found[field.decode()] = message
        self._ignore(ignored)
        return found

    def message(self, field: str, value: bytes | str | None) -> Message | None:
        """The message in one field; None if there is none, or none that can be read."""
        message = (
            None
            if value is None
            else self._message(field.encode(), value.encode() if isinstance(value, str) else value)
        )
        return None if isinstance(message, str) else message

    def _message(self, field: bytes, value: bytes) -> Message | str:
        """The message, or why it is skipped."""
        if len(value) > LONGEST_VALUE:
            return f"longer than {LONGEST_VALUE} bytes"
        try:
            name = field.decode()
            message = self._model.model_validate_json(value)
        except UnicodeDecodeError:
            return "the name of the field is not UTF-8"
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            return f"{place}: {first['msg']}" if place else str(first["msg"])
        if self._named_by is not None and getattr(message, self._named_by) != name:
            return f"its {self._named_by} differs from the name of its field"
        return message

    def _ignore(self, ignored: Mapping[str, str]) -> None:
        if news := [field for field in ignored if field not in self.ignored]:
            logger.warning(
                "values in redis ignored",
                key=self.key,
                count=len(news),
                fields=[field[:64] for field in news[:SHOWN_FIELDS]],
                reason=ignored[news[0]][:200],
            )
        self.ignored = frozenset(ignored)
