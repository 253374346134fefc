"""The session of a signed-in browser: a cookie that holds no token.

Every gateway with the same tokens accepts it, because it holds nothing but a signature.
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
    """The value of the cookie. It is signed with the token, so it is invalid once the token is removed."""
    return _signer(token).sign(_VALUE).decode()


def token_of(tokens: Iterable[Token], value: str, duration: timedelta) -> Token | None:
    """The token of this session; None if it has expired, its token was removed, or it is forged."""
    for token in tokens:
        try:
            _signer(token).unsign(value, max_age=int(duration.total_seconds()))
        except BadSignature:  # SignatureExpired is one
            continue
        return token
    return None


def _signer(token: Token) -> TimestampSigner:
    return TimestampSigner(token.secret, salt=SALT, digest_method=sha256)
