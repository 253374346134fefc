"""The limits on connections and on open files."""

import subprocess
import sys

import pytest

from api_gateway.connections.errors import TooManyStreams
from api_gateway.connections.limits import ConnectionLimits
from api_gateway.connections.streams import Streams
from api_gateway.security.tokens import EVERYBODY, Grant
from api_gateway.settings import GatewaySettings


def test_an_address_may_have_half_of_all_connections_unless_the_settings_say_otherwise():
    assert GatewaySettings().connection_limits == ConnectionLimits(512, 256)
    assert GatewaySettings(max_connections=100).connection_limits == ConnectionLimits(100, 50)
    given = GatewaySettings(max_connections=100, max_connections_per_address=90).connection_limits
    assert (given.per_address, given.streams, given.streams_per_client) == (90, 75, 67)


def within(open_files: str) -> str:
    """What `within_open_files` does in a process with this limit, as `ulimit -n` sets it."""
    script = (
        "from api_gateway.connections.limits import *; import resource;"
        "print(within_open_files(ConnectionLimits(512, 256)), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    command = f"ulimit -n {open_files}; exec {sys.executable} -c '{script}'"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    return found.stdout + found.stderr


def test_the_limits_fit_into_the_open_files_that_the_system_allows():
    assert "connections=512, per_address=256) 1184" in within("2000; ulimit -Sn 256")
    lowered = within("400")
    assert "connections=120, per_address=60) 400" in lowered
    assert "fewer connections than EMOTII_MAX_CONNECTIONS" in lowered
    assert "SettingsError: this process may have 170 files open" in within("170")


def test_streams_are_limited_by_address_and_by_grant_and_end_with_their_place():
    streams, viewer = Streams(ConnectionLimits(40, 8)), Grant("viewer")
    held = [streams.place(f"10.0.0.{number % 2}", EVERYBODY) for number in range(12)]
    for place in held:
        place.__enter__()
    with pytest.raises(TooManyStreams, match="6 videos and WebSockets are open from this address"), \
            streams.place("10.0.0.1", EVERYBODY):  # fmt: skip
        pass
    held += [streams.place(f"10.0.1.{number}", viewer) for number in range(6)]
    for place in held[12:]:
        place.__enter__()
    with pytest.raises(TooManyStreams, match="with tokens of this role"), streams.place("10.0.2.1", viewer):
        pass
    with streams.place("10.0.2.1", Grant("operator")):
        pass
    for place in held:
        place.__exit__(None, None, None)
    assert not streams._open
    with streams.place("10.0.2.1", viewer):
        pass
