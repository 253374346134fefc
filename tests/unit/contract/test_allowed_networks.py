"""The refusal of a stream names the exact setting that allows it."""

from ipaddress import ip_network

import pytest

from contract.errors import SourceError
from contract.network import StreamRules

REDIS = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("allowed", "host", "setting"),
    [
        ((), "192.168.7.9", "EMOTII_CAMERA_NETWORKS=192.168.7.0/24"),
        (("10.0.0.0/8",), "192.168.7.9", "EMOTII_CAMERA_NETWORKS=10.0.0.0/8,192.168.7.0/24"),
        ((), "127.0.0.1", "EMOTII_CAMERA_NETWORKS=127.0.0.1/32"),
        ((), "[fd00::7]", "EMOTII_CAMERA_NETWORKS=fd00::/64"),
    ],
)
def test_the_refusal_of_a_private_host_names_the_setting_that_allows_it(allowed, host, setting):
    url = f"rtsp://{host}/stream"
    with pytest.raises(SourceError, match="EMOTII_CAMERA_NETWORKS") as refused:
        StreamRules(tuple(map(ip_network, allowed)), REDIS).destinations("cam", url)
    assert setting in str(refused.value).split()
    networks = setting.partition("=")[2].split(",")
    assert StreamRules(tuple(map(ip_network, networks)), REDIS).destinations("cam", url)
