"""What a person can mend is one readable line, exit code 2, no traceback; nothing else is started or left."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import EMOTII, Running

CASES = {
    "unknown kind of source": (["up"], {"EMOTII_SOURCES": "a=gopher://host/x"}, "gopher"),
    "a name that is none": (["up"], {"EMOTII_SOURCES": "Front Door=0"}, "cannot name a source"),
    "missing file": (["up", "--source", "a=missing.mp4"], {}, "missing.mp4"),
    "port out of range": (["up", "--port", "99999"], {}, "EMOTII_PORT=99999"),
    "port that is no number": (["serve"], {"EMOTII_PORT": "abc"}, "EMOTII_PORT=abc"),
    "wrong number of workers": (["up"], {"EMOTII_WORKERS": "0"}, "EMOTII_WORKERS=0"),
    "wrong detector": (["capture"], {"EMOTII_DETECTOR": "magic"}, "EMOTII_DETECTOR=magic"),
    "wrong engine": (["infer"], {"EMOTII_ENGINE": "magic"}, "EMOTII_ENGINE=magic"),
    "unknown model": (["infer"], {"EMOTII_MODEL": "nothing"}, "no model called 'nothing'"),
    "wrong database URL": (["serve"], {"EMOTII_DATABASE_URL": "mysql://u:pw@127.0.0.1/x"}, "EMOTII_DATABASE_URL"),
    "wrong Redis URL": (["infer"], {"EMOTII_REDIS_URL": "http://127.0.0.1"}, "EMOTII_REDIS_URL"),
    "wrong log level": (["serve"], {"EMOTII_LOG_LEVEL": "loud"}, "EMOTII_LOG_LEVEL=loud"),
    "broken picture": (["predict", "broken.jpg"], {}, "broken.jpg: the picture is cut off"),
    "missing picture": (["predict", "none.jpg"], {}, "none.jpg: No such file"),
    "missing video": (["analyze", "none.mp4", "--csv", "out.csv"], {}, "none.mp4"),
    "broken video": (["analyze", "broken.jpg", "--csv", "out.csv"], {}, "broken.jpg"),
    "missing faces to train on": (["train", "--data", "no.npz", "--out", "m"], {}, "no dataset at no.npz"),
    "no Redis for a job": (
        ["analyze", "demo", "--csv", "out.csv"],
        {"EMOTII_REDIS_URL": "redis://127.0.0.1:1"},
        "connecting to 127.0.0.1:1",
    ),
    "table in no folder": (["analyze", "demo", "--csv", "no/such/out.csv"], {}, "cannot write no/such/out.csv"),
}

LONG = {
    "port that is no number",
    "wrong number of workers",
    "wrong detector",
    "wrong engine",
    "wrong database URL",
    "wrong Redis URL",
    "missing picture",
    "missing video",
    "missing faces to train on",
    "table in no folder",
}
"""Cases that go the same way through the program as another case does."""


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [pytest.param(*case, id=name, marks=pytest.mark.long if name in LONG else []) for name, case in CASES.items()],
)
def test_the_error_for_bad_input_is_one_line_that_says_what_to_correct(
    run: Callable[..., Running], tmp_path: Path, arguments: list[str], environment: dict[str, str], expected: str
):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture at all")
    running = run(*EMOTII, *arguments, **environment)
    assert running.process.wait(60) == 2, running.output
    lines = [line for line in running.output.splitlines() if line.startswith("emotii: ")]
    assert any(expected in line for line in lines), running.output
    assert "Traceback" not in running.output
    assert running.children() == []
    assert not (tmp_path / "out.csv").exists()


def test_a_port_in_use_is_named(run: Callable[..., Running]):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = run(*EMOTII, "up", "--port", str(port), "--source", "demo=demo")
        assert running.process.wait(60) == 2
    assert f"port {port} is taken" in running.output


def test_a_password_in_a_camera_address_is_in_no_output(run: Callable[..., Running]):
    running = run(*EMOTII, "capture", EMOTII_SOURCES="a=gopher://user:hunter2@host/x,b=rtsp://user:hunter2,x@host")
    assert running.process.wait(60) == 2
    assert "hunter2" not in running.output
