import json
import subprocess
import sys

import pytest
import structlog

from contract.service.logs import configure, scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("rtsp://me:secret@door/1", "rtsp://***@door/1"),
        ("redis://:secret@host:6379/0", "redis://***@host:6379/0"),
        ("rtsp://user:se@cret@host/x", "rtsp://***@host/x"),
        ("two: http://a:b@c and http://d:e@f", "two: http://***@c and http://***@f"),
        ("x=rtsp://a:b@c/1,y=rtsp://d:e@f/2", "x=rtsp://***@c/1,y=rtsp://***@f/2"),
        ("rtsp://user:se/cr@et@host/x", "rtsp://***@host/x"),
        ("redis://:secret/1@host", "redis://***@host"),
        ("rtsp://user:se://cret@host/x", "rtsp://***@host/x"),
        ("'redis://:it's@host'", "'redis://***@host'"),
        ("http://host/path@2x.png", "http://host/path@2x.png"),
        ("nobody@example.com", "nobody@example.com"),
        ("", ""),
    ],
)
def test_credentials_in_urls_are_hidden(text, scrubbed):
    assert scrub(text) == scrubbed


def fail(address):
    local = f"local {address}"
    raise ValueError(f"cannot open {address}", len(local))


@pytest.mark.parametrize("as_json", [True, False], ids=["for machines", "for people"])
def test_no_credential_reaches_a_log_line(capsys, as_json):
    configure(service="test", as_json=as_json)
    address = "rtsp://me:secret@door/1"
    try:
        fail(address)
    except ValueError as error:
        structlog.get_logger().exception("failed", address=address, of=error, all={"cam": [address]}, number=7)
    text = capsys.readouterr().err
    assert "secret" not in text
    assert "local rtsp" not in text, "a traceback without the values of variables"
    assert "in fail" in text
    assert "rtsp://***@door/1" in text


def test_values_keep_their_kind_in_a_line_for_machines(capsys):
    configure(service="test", as_json=True)
    structlog.get_logger().info("values", number=7, share=0.5, yes=True, nothing=None, names=("a", "b"))
    event = json.loads(capsys.readouterr().err)
    values = (event["number"], event["share"], event["yes"], event["nothing"], event["names"])
    assert values == (7, 0.5, True, None, ["a", "b"])


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


def test_messages_below_the_level_are_not_logged(capsys):
    configure(service="test", level="warning")
    structlog.get_logger().info("not logged")
    assert capsys.readouterr().err == ""


def test_a_log_on_a_full_disk_loses_lines_and_ends_no_service():
    code = (
        "import structlog\n"
        "from contract.service import logs\n"
        "logs.configure(service='gateway')\n"
        "structlog.get_logger().warning('x' * 20_000)\n"
        "print('goes on')\n"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
