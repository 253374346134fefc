"""static/emotii.js in Node.js: what its page relies on, with a real gateway that goes away and comes back."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import api_gateway
from emotii.local.redis_server import PrivateServer
from tests.acceptance.node import needs_node, node
from tests.stage import GatewayProcess, Producer, gateway_process, until

CLIENT = Path(api_gateway.__file__).parent / "static" / "emotii.js"
TOLD = (
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
process.stdin.on("data", (order) => eval(order.toString()));
"""
pytestmark = needs_node


class Listener:
    """A Node.js process with the client, and what it was told."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    def told(self, name: str) -> list[dict[str, Any]]:
        lines = self._output.read_text().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [one for one in found if one["name"] == name]

    def do(self, order: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(order)
        self.process.stdin.flush()

    def hears(self, name: str, more_than: int = 0, of: Callable[[Any], bool] = lambda _: True) -> Any:
        return until(lambda: [o["detail"] for o in self.told(name) if of(o["detail"])][more_than:], 40, name)


@contextmanager
def listening(folder: Path, url: str, **options: Any) -> Iterator[Listener]:
    (folder / "emotii.mjs").write_text(CLIENT.read_text())
    (folder / "listen.mjs").write_text(SCRIPT % json.dumps(TOLD))
    output = folder / "told"
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


def test_the_client_hears_what_it_subscribed_to_and_can_change_its_mind(gateway: GatewayProcess, tmp_path: Path):
    with listening(tmp_path, gateway.url + "/ws/emotions", kinds=["stats"], sources=["front"]) as listener:
        listener.hears("stats", more_than=1)
        assert [one["detail"]["v"] for one in listener.told("hello")] == [2]
        assert listener.told("open")[0]["open"] is True
        assert listener.told("reading") == []
        listener.do('emotii.subscribe({ kinds: ["reading"], tracks: [2], rate: 5 })')
        assert {reading["track"] for reading in listener.hears("reading", more_than=3)} == {2}
        assert all(isinstance(one["detail"], list) for one in listener.told("events"))
        listener.do('emotii.subscribe({ kinds: ["smell"] })')
        assert listener.hears("refused")[0]["code"] == "bad_subscription"
        listener.do("emotii.close(); process.stdin.destroy()")
        assert listener.process.wait(20) == 0  # nothing keeps the program alive
        assert listener.told("close")[-1]["detail"] == {"reason": "closed here", "retryMs": None}


def test_the_client_comes_back_by_itself_with_its_subscription_when_the_gateway_does(
    server: PrivateServer, gateway: GatewayProcess, tmp_path: Path
):
    with listening(tmp_path, gateway.socket_url, kinds=["stats"]) as listener:
        listener.hears("hello")
        listener.do('emotii.subscribe({ kinds: ["reading"] })')
        listener.hears("reading")
        gateway.process.kill()
        gateway.process.wait(10)
        first = listener.hears("close", more_than=1)[0]
        assert 0 < first["retryMs"] <= 1.3 * 4000
        assert listener.told("close")[0]["open"] is False
        figures = len(listener.told("stats"))
        with gateway_process(server.url, tmp_path / "again", port=str(gateway.port)):
            listener.hears("hello", more_than=1)
            listener.hears("reading", more_than=len(listener.told("reading")))
        assert len(listener.told("stats")) == figures


def test_the_client_takes_a_gateway_that_says_nothing_any_more_for_lost(gateway: GatewayProcess, tmp_path: Path):
    with listening(tmp_path, gateway.socket_url, kinds=["reading"], sources=["nobody"]) as listener:
        listener.hears("heartbeat", more_than=4)
        assert listener.told("close") == []  # a heartbeat is enough
        gateway.process.send_signal(signal.SIGSTOP)
        try:
            assert listener.hears("close")[0]["reason"] == "nothing was heard"
        finally:
            gateway.process.send_signal(signal.SIGCONT)
        listener.hears("hello", more_than=1)


def test_where_there_is_no_websocket_the_client_says_what_to_do(tmp_path: Path):
    (tmp_path / "emotii.mjs").write_text(CLIENT.read_text())
    script = 'import { Emotii } from "./emotii.mjs"; globalThis.WebSocket = undefined; new Emotii("ws://127.0.0.1:1/");'
    (tmp_path / "without.mjs").write_text(script)
    failed = subprocess.run(["node", "without.mjs"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "no WebSocket here" in failed.stderr
