"""The subscription of a client of `/ws/emotions`."""

import json
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import QueryParams

from contract import events, keys

Kind = Literal["reading", "episode", "state", "stats"]
SourceName = Annotated[str, StringConstraints(pattern=f"^{keys.SOURCE_NAME.pattern}$")]
Track = Annotated[int, Field(ge=0)]
MOST_NAMED = 256
LONGEST_MESSAGE = 64 * 1024
"""In characters: more than the largest subscription needs, and quick to parse."""


class SubscriptionError(ValueError):
    """The subscription is invalid; the message says why."""


class Subscription(BaseModel):
    """Which events a client receives; null, or left out, means all. Equal subscriptions share their messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    sources: Annotated[frozenset[SourceName], Field(max_length=MOST_NAMED)] | None = None
    """Names of sources, which need not exist yet."""
    tracks: Annotated[frozenset[Track], Field(max_length=MOST_NAMED)] | None = None
    """Of readings and episodes."""
    kinds: frozenset[Kind] | None = None
    """`state` includes `gone`. Events about the connection itself are always sent."""
    rate: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Limit on the readings a second of each track; the newest are sent. It applies to no other event."""

    @classmethod
    def of_query(cls, query: QueryParams) -> Self:
        """The subscription in a URL, `?source=a&source=b&track=3&kind=reading&rate=5`.

        Raises:
            SubscriptionError: it is invalid.
        """
        values = {
            "sources": query.getlist("source") or None,
            "tracks": query.getlist("track") or None,
            "kinds": query.getlist("kind") or None,
            "rate": query.get("rate"),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SubscriptionError(_first(error)) from None

    def within(self, sources: frozenset[str] | None) -> Self:
        """The same, limited to these sources. `stats` are about all sources, so a limited subscription has none."""
        if sources is None:
            return self
        wanted = sources if self.sources is None else sources & self.sources
        kinds = frozenset(get_args(Kind)) if self.kinds is None else self.kinds
        return self.model_copy(update={"sources": wanted, "kinds": kinds - {"stats"}})

    def wants(self, event: events.SubscribableEvent) -> bool:
        """Whether this subscription includes the event, at some rate."""
        match event:
            case events.Stats():
                return self._wants_kind("stats")
            case events.State() | events.Gone():
                return self._wants_kind("state") and self._wants_source(event.source)
            case events.Reading() | events.Episode():
                of_track = self.tracks is None or event.track in self.tracks
                return of_track and self._wants_kind(event.kind) and self._wants_source(event.source)

    def _wants_kind(self, kind: Kind) -> bool:
        return self.kinds is None or kind in self.kinds

    def _wants_source(self, source: str) -> bool:
        return self.sources is None or source in self.sources


EVERYTHING = Subscription()


class SubscribeMessage(BaseModel):
    """A client may send it at any time; it replaces the subscription."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subscribe: Subscription

    @classmethod
    def read(cls, message: str) -> Subscription:
        """The subscription in a message.

        Raises:
            SubscriptionError: the message is something else, or the subscription is invalid.
        """
        if len(message) > LONGEST_MESSAGE:
            raise SubscriptionError(f"message: longer than {LONGEST_MESSAGE} characters")
        try:
            return cls.model_validate_json(message, strict=True).subscribe
        except ValidationError as error:
            raise SubscriptionError(_first(error)) from None


def _first(error: ValidationError) -> str:
    """The first error, in one line that repeats only a little of the message."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"])
    received = json.dumps(first["input"], default=str)
    return f"{where or 'message'}: {first['msg']} (given: {received[:60]})"
