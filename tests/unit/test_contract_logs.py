import json

import pytest
import structlog

from contract.logs import configure, scrub


@pytest.fixture(autouse=True)
def defaults():
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("rtsp://me:secret@door/1", "rtsp://***@door/1"),
        ("redis://:secret@host:6379/0", "redis://***@host:6379/0"),
        ("rtsp://user:se@cret@host/x", "rtsp://***@host/x"),
        ("two: http://a:b@c and http://d:e@f", "two: http://***@c and http://***@f"),
        ("http://host/path@2x.png", "http://host/path@2x.png"),
        ("nobody@example.com", "nobody@example.com"),
        ("", ""),
    ],
)
def test_credentials_in_urls_are_hidden(text, scrubbed):
    assert scrub(text) == scrubbed


def test_no_credential_reaches_a_log_line(capsys):
    configure(service="test", as_json=True)
    try:
        raise ValueError("cannot open rtsp://me:secret@door/1")
    except ValueError:
        structlog.get_logger().exception("failed", address="rtsp://me:secret@door/1")
    line = capsys.readouterr().err
    assert "secret" not in line
    assert json.loads(line)["address"] == "rtsp://***@door/1"


def test_a_line_for_machines_is_one_json_object_with_the_service(capsys):
    configure(service="test", as_json=True)
    structlog.get_logger().warning("it happened", source="cam")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["service"], event["source"], event["level"]) == (
        "it happened",
        "test",
        "cam",
        "warning",
    )


def test_what_is_below_the_level_is_not_logged(capsys):
    configure(service="test", level="warning")
    structlog.get_logger().info("nobody asked")
    assert capsys.readouterr().err == ""
