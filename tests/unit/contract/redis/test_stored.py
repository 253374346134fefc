"""Values of Redis that anybody may have written: read where they are messages, skipped and logged once where not."""

import pytest
import structlog
from redis.exceptions import ResponseError

from contract import keys
from contract.messages import SourceStatus, WorkerStatus
from contract.messages.fields import LATEST_MS
from contract.redis.stored import LONGEST_VALUE, MOST_FIELDS, StoredHash, entry_ms, integer

GOOD = SourceStatus(name="cam", kind="camera", state="ONLINE", since_ms=1, seen_ms=1)
VALUE = GOOD.model_dump_json().encode()
WRONG_TYPE = ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")


@pytest.fixture
def stored() -> StoredHash[SourceStatus]:
    return StoredHash(keys.SOURCES, SourceStatus, named_by="name")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"door", VALUE),
        (b"cam\n", VALUE),
        (b"\xff", VALUE),
        (b"door", b""),
        (b"", VALUE),
        (b"door", b"7" * 5000),
        (b"door", b"[" * (LONGEST_VALUE - 1)),
        (b"door", b" " * LONGEST_VALUE + VALUE),
        (b"door", VALUE.replace(b'"cam"', b'"door"').replace(b'"seen_ms":1', b'"seen_ms":' + b"1" * 4000)),
        (b"../x", VALUE.replace(b'"cam"', b'"../x"')),
    ],
)
def test_a_value_that_is_no_message_under_its_own_name_is_skipped_and_the_others_are_read(stored, field, value):
    assert stored.parse({b"cam": VALUE, field: value}) == {"cam": GOOD}
    assert stored.ignored == {field.decode(errors="replace")}
    assert stored.whole


def test_what_is_skipped_is_logged_once_by_key_and_field_without_its_content(stored):
    with structlog.testing.capture_logs() as logs:
        for value in (b"hunter2", b"hunter2", b"hunter2 again"):
            stored.parse({b"cam": VALUE, b"door": value})
        assert [(line["key"], line["fields"], line["count"]) for line in logs] == [(keys.SOURCES, ["door"], 1)]
        assert "hunter2" not in str(logs)
        stored.parse({b"cam": VALUE})
        stored.parse({b"door": b"hunter2"})
    assert len(logs) == 2, "it was gone in between"


def test_a_key_of_another_type_is_read_as_empty_and_other_errors_pass(stored):
    assert stored.parse(WRONG_TYPE) == {}
    assert not stored.whole
    with pytest.raises(ResponseError, match="NOPERM"):
        stored.parse(ResponseError("NOPERM this user has no permissions"))
    assert stored.parse({b"cam": VALUE}) == {"cam": GOOD}
    assert stored.whole


def test_only_so_many_fields_are_read():
    stored = StoredHash(keys.WORKERS, WorkerStatus)
    stored.parse({b"%d" % number: b"{}" for number in range(MOST_FIELDS + 1)})
    assert not stored.whole
    assert len(stored.ignored) == MOST_FIELDS + 1


@pytest.mark.parametrize("value", [b"", b"-1", b"1.0", b"1" * 19, b"9" * 5000, "\N{SUPERSCRIPT TWO}".encode()])
def test_what_is_no_whole_number_of_64_bits_is_none(value):
    assert integer(value) is None


def test_the_time_of_an_entry_is_never_beyond_what_a_date_can_be():
    assert entry_ms(b"1700000000000-3") == 1_700_000_000_000
    assert entry_ms(b"18446744073709551615-18446744073709551615") == LATEST_MS
