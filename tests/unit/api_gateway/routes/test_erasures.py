"""The target of an erasure is explicit."""

import pytest
from pydantic import ValidationError

from api_gateway.routes.erasures import ErasureRequest


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"source": ""},
        {"source": None},
        {"source": None, "from": 1_790_000_000_000},
        {"all": True, "source": None},
        {"all": True, "source": "front"},
        {"all": None, "source": "front"},
        {"all": False},
        {"from": None, "source": "front"},
        {"to": None},
        {"from": 2_000, "to": 1_000},
        {"source": "front", "until": 1_000},
    ],
    ids=str,
)
def test_an_empty_or_ambiguous_target_is_refused(request_body: dict[str, object]):
    with pytest.raises(ValidationError):
        ErasureRequest.model_validate(request_body)


@pytest.mark.parametrize(
    "request_body",
    [{"all": True}, {"source": "front"}, {"from": 1_790_000_000_000}, {"source": "front", "to": 1_790_000_000_000}],
    ids=str,
)
def test_an_explicit_target_is_accepted(request_body: dict[str, object]):
    assert ErasureRequest.model_validate(request_body)
