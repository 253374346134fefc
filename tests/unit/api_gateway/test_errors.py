"""The table from the errors of services to HTTP."""

import asyncio
import importlib
import pkgutil

import httpx
import pytest
from fastapi import FastAPI

import api_gateway
from api_gateway.erasure.eraser import CannotErase
from api_gateway.errors import (
    HTTP_ERRORS,
    POLICY,
    TRY_AGAIN,
    HttpError,
    describe,
    error_response,
    install_error_handlers,
)
from api_gateway.faces.errors import CannotStore
from api_gateway.faces.filename import FaceNameError
from api_gateway.history.database import DatabaseUnavailable, DatabaseUnwritable
from api_gateway.security.errors import TooManyAttempts, Unauthorized, WrongToken
from api_gateway.sources.errors import UnknownSource
from api_gateway.uploads.errors import UploadTooLarge
from contract.errors import BrokerUnavailable, EmotiiError

INTERNAL = {CannotErase, FaceNameError, CannotStore, DatabaseUnwritable}
"""Errors that no service lets through to a route, or that have the entry of a more general one."""
PUBLIC = """
    400 bad_request unknown_host
    401 unauthorized wrong_token
    403 forbidden foreign_origin
    404 no_face no_history unknown_erasure unknown_face unknown_file unknown_job unknown_place unknown_source
    408 silent timeout
    409 browser_camera configured_source fixed_setting name_taken no_tokens not_done too_many_sources
    413 too_large
    415 unsupported_media_type
    422 bad_name bad_picture bad_source forbidden_host invalid_request unclassifiable_face unknown_emotion
    422 unreadable_picture unreadable_video
    429 too_fast too_many_attempts
    431 too_large
    503 busy history_unavailable no_capture no_frame no_worker not_ready redis_unavailable
    504 timeout
    507 disk_full disk_unwritable storage_full storage_unwritable
"""


def errors_of_services() -> set[type[EmotiiError]]:
    found: set[type[EmotiiError]] = set()
    for module in pkgutil.walk_packages(api_gateway.__path__, "api_gateway."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            members = vars(importlib.import_module(module.name)).values()
            found |= {one for one in members if isinstance(one, type) and issubclass(one, EmotiiError)}
    return {error for error in found if error.__module__.startswith("api_gateway.")}


def test_every_error_of_a_service_is_in_the_table_or_stays_inside_its_service():
    services = errors_of_services()
    assert len(services) > 40
    assert services - INTERNAL == {error for error in HTTP_ERRORS if error is not BrokerUnavailable}


def test_an_error_that_is_missing_in_the_table_would_be_found():
    class UnmappedError(EmotiiError):
        pass

    with pytest.raises(LookupError, match="UnmappedError"):
        describe(UnmappedError("why"))


def test_the_statuses_and_codes_are_those_of_the_public_interface():
    public = {
        (int(status), code)
        for status, *codes in (line.split() for line in PUBLIC.split("\n") if line)
        for code in codes
    }
    assert {(entry.status, entry.code) for entry in HTTP_ERRORS.values()} == public


def test_a_subclass_appears_as_its_base():
    class NearlyUnknownError(UnknownSource):
        pass

    assert describe(NearlyUnknownError("no source 'a'")) == HttpError(404, "unknown_source", "no source 'a'")


def test_a_message_of_the_table_replaces_or_surrounds_that_of_the_error():
    assert describe(BrokerUnavailable("Error 111 connecting to 10.0.0.7")).message == (
        "Redis cannot be reached now; try again soon"
    )
    assert describe(DatabaseUnavailable("locked")).message == "the database of the history cannot serve now: locked"
    assert describe(UploadTooLarge("{a} brace")).message == "{a} brace"


def test_headers_state_the_challenge_and_when_to_try_again():
    assert error_response(TooManyAttempts(42)).headers["retry-after"] == "42"
    for error in (Unauthorized(), WrongToken("no")):
        assert error_response(error).headers["www-authenticate"] == 'Bearer realm="Emotii"'


def test_only_an_outage_of_redis_closes_a_websocket_with_try_again_later():
    codes = {error: entry.close_code for error, entry in HTTP_ERRORS.items()}
    assert {error for error, code in codes.items() if code == TRY_AGAIN} == {BrokerUnavailable}
    assert set(codes.values()) == {TRY_AGAIN, POLICY}


def test_a_route_raises_an_error_of_a_service_and_the_client_gets_its_entry():
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/mapped")
    async def mapped() -> None:
        raise TooManyAttempts(7)

    @app.get("/unmapped")
    async def unmapped() -> None:
        raise FaceNameError("a mistake of ours")

    async def get(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    response = asyncio.run(get("/mapped"))
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json() == {"error": {"code": "too_many_attempts", "message": "too many wrong tokens; wait 7 s"}}
    response = asyncio.run(get("/unmapped"))
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert "mistake" not in response.text
