"""Random faults under load, and the account of every crop: `python -m tests.faults.chaos --seconds 300 --seed 1`.

A job and a live source send crops through a proxy; up to four workers take them. Every second or two something happens:
a worker is killed, stopped, frozen or started; Redis is killed, restarted, frozen or flushed; connections are reset, or
what they say is lost. Redis writes its file at every command here (`appendfsync always`), so that a kill takes nothing
back and the law is exact; what everysec costs is row 7's. The schedule, not the timing, follows from the seed.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import reduce
from operator import add
from pathlib import Path

from contract.redis.broker import connect
from contract.service.logs import configure
from emotii.local.redis_server import PrivateServer
from tests.faults.crew import Crew
from tests.faults.ledger import Balance, Ledger, flush_all
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.waiting import until

WORKERS = 4
DRAIN_SECONDS = 60.0
LOOK_SECONDS = 5.0


class Chaos:
    """The faults, each a method that leaves things so that they can mend themselves."""

    def __init__(self, seed: int, server: PrivateServer, proxy: Proxy, crew: Crew, loads: list[Load]) -> None:
        self.done: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._server = server
        self._proxy = proxy
        self._crew = crew
        self._loads = loads
        self._workers: list[Callable[[], None]] = [self.kill_worker, self.stop_worker, self.freeze_worker]
        self._redis: list[Callable[[], None]] = [self.kill_redis, self.restart_redis, self.freeze_redis, self.flush]
        self._network: list[Callable[[], None]] = [self.reset, self.lose_replies, self.lose_commands, self.slice]

    def step(self) -> None:
        """Let one thing happen, then have as many workers as there should be."""
        kind = self._chance.choices([self._workers, self._redis, self._network], [3, 1, 2])[0]
        fault = self._chance.choice(kind)
        fault()
        self.done[fault.__name__.replace("_", " ")] += 1
        while len(self._crew.living) < self._chance.randint(1, WORKERS):
            self.start_worker()
        time.sleep(self._chance.uniform(0.5, 2.0))

    def start_worker(self) -> None:
        url = self._chance.choice([self._server.url, self._proxy.url])
        pause = self._chance.choice([0.0, 0.02, 0.1])
        self._crew.start(url=url, test_seconds_per_batch=pause, batch=self._chance.choice([4, 32]), live_keep=200)

    def kill_worker(self) -> None:
        self._chance.choice(self._crew.living).kill()

    def stop_worker(self) -> None:
        for worker in self._crew.living[:1]:  # the one that most likely has begun
            worker.stop(30)

    def freeze_worker(self) -> None:
        for worker in self._crew.living[-1:]:
            worker.freeze()
            time.sleep(self._chance.uniform(0.2, 3.0))
            worker.thaw()

    def kill_redis(self) -> None:
        self._server.kill()
        time.sleep(self._chance.uniform(0.0, 2.0))
        self._server.start()

    def restart_redis(self) -> None:
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGTERM)
        while self._server.pid is not None:
            time.sleep(0.01)
        self._server.start()

    def freeze_redis(self) -> None:
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.2, 6.0))
        os.kill(self._server.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Only the sending holds still: what is on its way could be stored before and, sent again, behind the flush."""
        with ExitStack() as stack, closing(connect(self._server.url, "chaos")) as clients:
            for load in self._loads:
                stack.enter_context(load.quiet)
            flush_all(clients.commands, [load.ledger for load in self._loads])

    def reset(self) -> None:
        self._proxy.reset()

    def lose_replies(self) -> None:
        self._lose("replies")

    def lose_commands(self) -> None:
        self._lose("commands")

    def slice(self) -> None:
        self._proxy.longest_slice = self._chance.choice([0, 500])

    def _lose(self, way: str) -> None:
        self._proxy.lose("replies" if way == "replies" else "commands")
        time.sleep(self._chance.uniform(0.2, 3.0))
        self._proxy.lose()


def main() -> None:
    arguments = _arguments()
    configure(service="chaos", level="error")  # the publisher would log every outage
    print(f"chaos for {arguments.seconds:.0f} s, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="emotii-chaos-") as folder:
        balance = run(Path(folder), arguments.seconds, arguments.seed, arguments.server)
    print(balance)
    sys.exit(0 if balance.settled and balance.duplicates == 0 else 1)


def run(folder: Path, seconds: float, seed: int, program: Path | None = None) -> Balance:
    """The account after so many seconds of faults, and of the time that it took until nothing waited any more."""
    server = PrivateServer(folder / "redis", program, ("--appendfsync", "always"))
    server.start()
    try:
        with ExitStack() as stack:
            proxy = stack.enter_context(Proxy(server, seed))
            client = stack.enter_context(closing(connect(server.url, "ledger"))).commands
            job, live = Ledger(client, "clip", makes_room=True), Ledger(client, "front")
            loads = [
                stack.enter_context(Load(proxy.url, job, 25)),
                stack.enter_context(Load(server.url, live, 10, deadline_after_ms=500, backlog_limit=100)),
            ]
            crew = stack.enter_context(Crew(server.url, folder))
            chaos = Chaos(seed, server, proxy, crew, loads)
            chaos.start_worker()
            until(lambda: total([job, live]).ok)
            shown = time.monotonic()
            ended = shown + seconds
            while time.monotonic() < ended:
                chaos.step()
                if time.monotonic() > shown + LOOK_SECONDS:
                    shown = time.monotonic()
                    print(total([job, live]), flush=True)
            proxy.longest_slice = 0
            chaos.start_worker()
            for load in loads:
                load.end_sending()
            return _settled([job, live], loads, chaos)
    finally:
        server.stop()


def _settled(ledgers: list[Ledger], loads: list[Load], chaos: Chaos) -> Balance:
    deadline = time.monotonic() + DRAIN_SECONDS
    while (balance := total(ledgers)).backlog and time.monotonic() < deadline:
        time.sleep(0.1)
    for load in loads:
        load.check_answers()
    print(", ".join(f"{name} {count}" for name, count in sorted(chaos.done.items())))
    return balance


def total(ledgers: list[Ledger]) -> Balance:
    return reduce(add, (ledger.balance() for ledger in ledgers))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Random faults under load, and the account of every crop at the end.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--server", type=Path, help="program of the server; by default what `emotii up` would take")
    return parser.parse_args()


if __name__ == "__main__":
    main()
