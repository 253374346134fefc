"""static/emotii.js in Node.js, with a real gateway that stops and restarts."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import api_gateway
from emotii.local.redis_server import PrivateServer
from tests.acceptance.node import needs_node, node
from tests.stage import GatewayProcess, Producer, gateway_process, until

CLIENT = Path(api_gateway.__file__).parent / "static" / "emotii.js"
EVENTS = (
    "open",
    "hello",
    "events",
    "reading",
    "episode",
    "state",
    "gone",
    "stats",
    "missed",
    "refused",
    "heartbeat",
    "close",
)
SCRIPT = """
import { Emotii } from "./emotii.mjs";
const emotii = new Emotii(process.argv[2], JSON.parse(process.argv[3]));
for (const name of %s) {
  emotii.addEventListener(name, ({ detail }) => {
    console.log(JSON.stringify({ name, detail, open: emotii.isOpen, silentMs: emotii.silentMs }));
  });
}
process.stdin.on("data", (script) => eval(script.toString()));
"""
pytestmark = needs_node


class Listener:
    """A Node.js process with the client, and the events that it has received."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    def received(self, name: str) -> list[dict[str, Any]]:
        lines = self._output.read_text().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [one for one in found if one["name"] == name]

    def execute(self, script: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(script)
        self.process.stdin.flush()

    def wait_for(self, name: str, more_than: int = 0) -> Any:
        """The details of the events of this name after the first `more_than`, once there are any."""
        return until(lambda: [one["detail"] for one in self.received(name)][more_than:], 40, name)


@contextmanager
def listening(folder: Path, url: str, **options: Any) -> Iterator[Listener]:
    (folder / "emotii.mjs").write_text(CLIENT.read_text())
    (folder / "listen.mjs").write_text(SCRIPT % json.dumps(EVENTS))
    output = folder / "events.jsonl"
    with output.open("w") as log:
        process = subprocess.Popen(
            [*node(), "listen.mjs", url, json.dumps(options)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        yield Listener(process, output)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with Producer(server.url), gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], 30, "the first reading")
        yield gateway


def test_the_client_receives_its_subscription_and_can_replace_it(gateway: GatewayProcess, tmp_path: Path):
    with listening(tmp_path, gateway.url + "/ws/emotions", kinds=["stats"], sources=["front"]) as listener:
        listener.wait_for("stats", more_than=1)
        assert [one["detail"]["v"] for one in listener.received("hello")] == [2]
        assert listener.received("open")[0]["open"] is True
        assert listener.received("reading") == []
        listener.execute('emotii.subscribe({ kinds: ["reading"], tracks: [2], rate: 5 })')
        assert {reading["track"] for reading in listener.wait_for("reading", more_than=3)} == {2}
        assert all(isinstance(one["detail"], list) for one in listener.received("events"))
        listener.execute('emotii.subscribe({ kinds: ["smell"] })')
        assert listener.wait_for("refused")[0]["code"] == "bad_subscription"
        listener.execute("emotii.close(); process.stdin.destroy()")
        assert listener.process.wait(20) == 0  # the closed client does not keep the process running
        assert listener.received("close")[-1]["detail"] == {"reason": "closed by the client", "retryMs": None}


def test_the_client_reconnects_with_its_subscription_when_the_gateway_restarts(
    server: PrivateServer, gateway: GatewayProcess, tmp_path: Path
):
    with listening(tmp_path, gateway.socket_url, kinds=["stats"]) as listener:
        listener.wait_for("hello")
        listener.execute('emotii.subscribe({ kinds: ["reading"] })')
        listener.wait_for("reading")
        gateway.process.kill()
        gateway.process.wait(10)
        first = listener.wait_for("close", more_than=1)[0]
        assert 0 < first["retryMs"] <= 1.3 * 4000
        assert listener.received("close")[0]["open"] is False
        figures = len(listener.received("stats"))
        with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
            listener.wait_for("hello", more_than=1)
            listener.wait_for("reading", more_than=len(listener.received("reading")))
        assert len(listener.received("stats")) == figures


def test_the_client_disconnects_from_a_gateway_that_sends_no_messages(gateway: GatewayProcess, tmp_path: Path):
    with listening(tmp_path, gateway.socket_url, kinds=["reading"], sources=["nobody"]) as listener:
        listener.wait_for("heartbeat", more_than=4)
        assert listener.received("close") == []  # heartbeats prevent the timeout
        gateway.process.send_signal(signal.SIGSTOP)
        try:
            assert listener.wait_for("close")[0]["reason"] == "the connection timed out"
        finally:
            gateway.process.send_signal(signal.SIGCONT)
        listener.wait_for("hello", more_than=1)


def test_without_a_websocket_class_the_client_explains_the_alternatives(tmp_path: Path):
    (tmp_path / "emotii.mjs").write_text(CLIENT.read_text())
    script = 'import { Emotii } from "./emotii.mjs"; globalThis.WebSocket = undefined; new Emotii("ws://127.0.0.1:1/");'
    (tmp_path / "without.mjs").write_text(script)
    failed = subprocess.run(["node", "without.mjs"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "no global WebSocket" in failed.stderr
