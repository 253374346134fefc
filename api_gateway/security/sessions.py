"""The session of a browser that signed in: a cookie that holds no token.

Every gateway with the same tokens takes it, since its signature is all there is of it.
"""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from itsdangerous import BadSignature, TimestampSigner

from api_gateway.security.tokens import Token

COOKIE = "emotii_session"
SALT = "emotii session 1"
_VALUE = b"in"


def begin(token: Token) -> str:
    """What the cookie holds: signed with the token, so that it ends with it."""
    return _signer(token).sign(_VALUE).decode()


def token_of(tokens: Iterable[Token], value: str, life: timedelta) -> Token | None:
    """Whose session this is; None if it is over, of a token that is no more, or made up."""
    for token in tokens:
        try:
            _signer(token).unsign(value, max_age=int(life.total_seconds()))
        except BadSignature:  # SignatureExpired is one
            continue
        return token
    return None


def _signer(token: Token) -> TimestampSigner:
    return TimestampSigner(token.secret, salt=SALT, digest_method=sha256)
