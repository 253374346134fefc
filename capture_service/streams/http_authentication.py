"""Answers the challenges of an HTTP camera: Basic and Digest."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.request import (
    AbstractDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

from contract.stream_url import StreamUrl

_HASHES: dict[str, Callable[[bytes], Any]] = {
    "MD5": partial(hashlib.md5, usedforsecurity=False),  # what cameras offer
    "SHA-256": hashlib.sha256,
}


class _Digest(AbstractDigestAuthHandler):
    """Python's handler, with SHA-256, and with users and passwords of any characters."""

    def get_algorithm_impls(self, algorithm: str) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        def hashed(text: str) -> str:
            return str(_HASHES[algorithm](text.encode()).hexdigest())

        return hashed, lambda secret, text: hashed(f"{secret}:{text}")


class Authentication:
    """The `Authorization` of the requests to one host, after its first challenge."""

    def __init__(self, user: str | None, password: str | None) -> None:
        self._user, self._password = user, password or ""
        self._passwords = HTTPPasswordMgrWithDefaultRealm()
        self._digest = _Digest(self._passwords)
        self._challenge: Mapping[str, str] | None = None
        self._basic = False

    def answers(self, challenges: Sequence[str]) -> bool:
        """Whether a request that was refused with these challenges is worth another try."""
        if self._user is None:
            return False
        tried = self._basic, (self._challenge or {}).get("nonce")
        self._challenge = _digest_challenge(challenges)
        self._basic = self._challenge is None
        # A nonce of Digest may serve for one request only; then the same password is right with the next one.
        return tried != (self._basic, (self._challenge or {}).get("nonce"))

    def headers(self, url: StreamUrl) -> dict[str, bytes]:
        """The header of a request for `url`, if a challenge was answered; in UTF-8."""
        if self._challenge is not None:
            request = Request(f"{url.scheme}://{url.place}{url.target}")  # noqa: S310 - it is never sent
            self._passwords.add_password(None, request.full_url, self._user or "", self._password)
            return {"Authorization": f"Digest {self._digest.get_authorization(request, self._challenge)}".encode()}
        if self._basic:
            return {"Authorization": b"Basic " + b64encode(f"{self._user}:{self._password}".encode())}
        return {}


def _digest_challenge(challenges: Sequence[str]) -> Mapping[str, str] | None:
    for challenge in challenges:
        scheme, _, parameters = challenge.strip().partition(" ")
        fields = parse_http_list(parameters)
        if scheme.lower() != "digest" or not all(one.partition("=")[2] for one in fields):
            continue
        found = {name.lower(): value for name, value in parse_keqv_list(fields).items()}
        algorithm = found.get("algorithm", "MD5").upper()
        protections = {one.strip().lower() for one in found.pop("qop", "").split(",")} - {""}
        if {"realm", "nonce"} <= found.keys() and algorithm in _HASHES and (not protections or "auth" in protections):
            return found | {"algorithm": algorithm} | ({"qop": "auth"} if protections else {})
    return None
