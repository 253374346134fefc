import pytest
import redis

from contract.errors import BrokerUnavailable, SettingsError
from contract.redis.broker import Backoff, connect, outages_named


@pytest.mark.parametrize(
    "error",
    [
        redis.exceptions.ConnectionError("refused"),
        redis.exceptions.BusyLoadingError("LOADING"),
        redis.exceptions.TimeoutError("slow"),
        redis.exceptions.OutOfMemoryError("OOM"),
        redis.exceptions.ReadOnlyError("READONLY"),
        redis.exceptions.ResponseError("Command # 1 (XADD a) of pipeline caused error: MISCONF Errors writing"),
        redis.exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        ConnectionResetError("reset"),
    ],
)
def test_a_temporary_error_is_an_outage(error):
    with pytest.raises(BrokerUnavailable), outages_named():
        raise error


def test_a_wrong_command_is_no_outage():
    with pytest.raises(redis.exceptions.ResponseError), outages_named():
        raise redis.exceptions.ResponseError("ERR wrong number of arguments")


@pytest.mark.parametrize("url", ["host:6379", "http://host", "redis://host:port", ""])
def test_an_invalid_url_is_reported_by_the_name_of_its_variable(url):
    with pytest.raises(SettingsError, match="EMOTII_REDIS_URL"):
        connect(url, "test")


def test_a_url_that_cannot_be_read_is_not_repeated():
    with pytest.raises(SettingsError) as raised:
        connect("redis://:secretword/x@host", "test")
    assert "secretword" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__, "a traceback would show the parser's message"


def test_pauses_grow_up_to_the_longest_and_start_anew_after_a_success():
    backoff = Backoff(first_seconds=0.1, longest_seconds=2.0)
    pauses = [backoff.next() for _ in range(50)]
    assert all(0.1 <= pause <= 2.0 for pause in pauses)
    assert max(pauses) > 0.5
    backoff.reset()
    assert backoff.next() <= 0.4
