"""A private PostgreSQL server for tests: Debian's, in a folder of its own, as a user that is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.stage import free_port

USER, PASSWORD = "emotii", "s3cr3t:/@word"


def find_postgres() -> Path | None:
    """The folder of the server's programs, the newest version's; None if it is not installed."""
    found = [program.parent for program in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


class PostgresServer:
    """A cluster with one user that has to give a password; a new database for each test."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="emotii-postgres-"))
        self._data = self._folder / "data"
        self.port = free_port()

    def __enter__(self) -> Self:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if (owner := _owner()) is not None:
            shutil.chown(self._folder, owner)
            shutil.chown(password, owner)
        self._run("initdb", "--auth=scram-sha-256", "-U", USER, f"--pwfile={password}", "--no-sync", "--locale=C.UTF-8")
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--wait", "--silent", "--log", str(log), "-o", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the server and its backends; their sockets stay open."""
        listing = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}
        server = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        processes = [server, *(pid for pid, parent in parents.items() if parent == server)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(processes):
                os.kill(pid, signal.SIGCONT)

    def new_database(self) -> str:
        """The URL of an empty one."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        password = PASSWORD.replace(":", "%3A").replace("/", "%2F").replace("@", "%40")
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        said = self._folder / f"{program}.out"  # a pipe would stay open as long as the server runs
        with said.open("wb") as output:
            done = subprocess.run(
                [self._programs / program, "-D", self._data, *arguments],
                check=False,
                user=_owner(),
                cwd=self._folder,
                env={"PATH": os.environ["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=60,
            )
        assert done.returncode == 0, said.read_text()


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: the user of Debian's package then, else the user who runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
