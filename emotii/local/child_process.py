"""Child processes of the command line."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from contract.service.lifecycle import PRIVATE_UMASK, die_with_parent


def spawn(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    inherited: Sequence[int] = (),
    *,
    quiet: bool = False,
) -> "subprocess.Popen[bytes]":
    """Start a child in a session of its own: Ctrl-C reaches only the supervisor, which stops its children in order.

    Args:
        command: the program and its arguments.
        environment: of the child; by default ours.
        inherited: file descriptors that stay open in the child.
        quiet: whether the output of the child is discarded.
    """
    output = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(
        [str(part) for part in command],
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=inherited,
        start_new_session=True,
        umask=PRIVATE_UMASK,  # also for commands that follow the umask of their user
        preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes one system call
    )


def stop(process: "subprocess.Popen[bytes]", timeout_seconds: float) -> bool:
    """Send SIGTERM, and SIGKILL after `timeout_seconds`; whether the process ended in time."""
    if process.poll() is not None:
        return True
    process.terminate()
    try:
        process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        return False
    return True


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End the process at once."""
    process.kill()
    process.wait()
