"""The erasures whose data may still be on its way to this gateway."""

from contract.messages.erasure import ErasureScope

IN_TRANSIT_MS = 60_000
"""After an erasure was done nothing of it reaches a gateway later than this: the streams no longer hold it, and a read
that had begun before has ended."""


class ErasedScopes:
    """What must neither be published nor stored, although it may still arrive; one collection for a whole gateway."""

    def __init__(self) -> None:
        self._expiry: dict[ErasureScope, int | None] = {}
        """By scope: until when it is kept, in Redis's time; None while its erasure is not done."""
        self.added = 0
        """How many were added so far, for those who have to notice one that came during an await."""

    def __len__(self) -> int:
        return len(self._expiry)

    def add(self, scope: ErasureScope) -> None:
        """From now on nothing of this scope is to be published or stored."""
        self._expiry[scope] = None
        self.added += 1

    def settle(self, scope: ErasureScope, now_ms: int) -> None:
        """Its erasure is done: the scope is dropped when nothing of it can arrive any more."""
        self._expiry[scope] = max(now_ms, scope.to_ms) + IN_TRANSIT_MS

    def prune(self, now_ms: int) -> None:
        """Drop the scopes of which nothing can arrive any more."""
        self._expiry = {scope: at for scope, at in self._expiry.items() if at is None or at > now_ms}

    def cover(self, source: str, at_ms: int) -> bool:
        """Whether a moment of this source was erased."""
        return any(scope.covers(source, at_ms) for scope in self._expiry)

    def overlap(self, source: str, from_ms: int, to_ms: int) -> bool:
        """Whether a part of a span of this source was erased."""
        return any(scope.overlaps(source, from_ms, to_ms) for scope in self._expiry)
