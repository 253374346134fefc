"""Tokens: the role that each one grants, and for which sources."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Self

from contract.errors import SourceError
from contract.keys import source_name

Role = Literal["viewer", "operator"]
SHORTEST = 24
"""Characters: too many to guess, so that only signing in needs to be slowed down."""
_SECRET = re.compile(rf"[A-Za-z0-9_~+/=.-]{{{SHORTEST},256}}")
"""Characters that a header can hold unencoded."""
HOW = "write ROLE:TOKEN with ROLE viewer, viewer@SOURCE+SOURCE or operator; `openssl rand -hex 24` makes a token"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do."""

    role: Role
    sources: frozenset[str] | None = None
    """A viewer may be limited to these; None: all there are."""

    def sees(self, source: str) -> bool:
        return self.sources is None or source in self.sources


EVERYBODY = Grant("operator")
"""Without tokens everybody who reaches the gateway may do everything; then only this machine reaches it."""


@dataclass(frozen=True)
class Token:
    """A secret and its grant."""

    grant: Grant
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`operator:SECRET`, `viewer:SECRET` or `viewer@front+door:SECRET`.

        Raises:
            ValueError: it is something else; the message does not repeat it.
        """
        who, _, secret = text.partition(":")
        role, at, names = who.partition("@")
        if role not in {"viewer", "operator"} or (at and role == "operator"):
            raise ValueError(HOW)
        if not _SECRET.fullmatch(secret):
            raise ValueError(f"a token has {SHORTEST} to 256 of A-Z a-z 0-9 - . _ ~ + / =; {HOW}")
        try:
            sources = frozenset(source_name(name) for name in names.split("+")) if at else None
        except SourceError:
            raise ValueError(HOW) from None
        return cls(Grant("viewer", sources) if role == "viewer" else Grant("operator"), secret)


def parse_all(text: str) -> tuple[Token, ...]:
    """Tokens separated by commas or line breaks; a line that begins with # is a comment.

    Raises:
        ValueError: one cannot be used, or two are the same.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    tokens = tuple(Token.parse(part.strip()) for line in lines for part in line.split(",") if part.strip())
    if len({token.secret for token in tokens}) < len(tokens):
        raise ValueError("two tokens are the same; each needs its own secret")
    return tokens


def find(tokens: Iterable[Token], secret: str) -> Token | None:
    """The token with this secret, in constant time: a wrong secret takes as long as a right one."""
    digest, found = _digest(secret), None
    for token in tokens:
        if hmac.compare_digest(_digest(token.secret), digest):
            found = token
    return found


def _digest(secret: str) -> bytes:
    """Of the same length for every secret, so that a comparison does not reveal a length."""
    return sha256(secret.encode(errors="surrogateescape")).digest()
