import pytest

from api_gateway.exposure import check_reach
from api_gateway.settings import GatewaySettings
from contract.errors import SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_machine_may_reach_the_gateway_without_tokens(host: str):
    check_reach(GatewaySettings(host=host))


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.0.2.7", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1", "nowhere.invalid"]
)
def test_other_machines_may_not_and_the_error_explains_how_to_allow_them(host: str):
    with pytest.raises(SettingsError, match=r"EMOTII_TOKENS=operator:.*EMOTII_WITHOUT_TOKENS"):
        check_reach(GatewaySettings(host=host))
    check_reach(GatewaySettings(host=host, tokens="viewer:" + "a" * 24))
    check_reach(GatewaySettings(host=host, without_tokens=True))
