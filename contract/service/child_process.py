"""A child process that does risky work: it can be killed at any time, and it ends with its parent.

Decoders of pictures and videos can hang, crash or fill the memory, and no thread can be killed. So what other people
send is decoded in a child, and its parent stays able to respond.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self

from contract.errors import EmotiiError
from contract.service.lifecycle import die_with_parent


class ChildEnded(EmotiiError):  # noqa: N818 - what happened
    """The child ended, though nobody has killed it.

    Args:
        exit_code: of the child; the negative number of the signal that ended it.
    """

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(f"its process ended with {self._how()}")

    @property
    def killed(self) -> bool:
        """Whether it was killed from outside, for example by a system without memory."""
        return self.exit_code == -signal.SIGKILL

    def _how(self) -> str:
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        try:
            return signal.Signals(-self.exit_code).name
        except ValueError:
            return f"signal {-self.exit_code}"


class ChildProcess:
    """Runs `python -m MODULE FD`; `open_connection` is its end of the connection. A context manager that kills it.

    `multiprocessing.Process` is not used, since it would run one more process, of 13 MB, to clean up after this one.
    The messages are pickled: the child runs our code with our rights.

    Args:
        module: the program.
        inherited: file descriptors that stay open in the child.
    """

    def __init__(self, module: str, inherited: Sequence[int] = ()) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *inherited],
                start_new_session=True,  # a signal from the terminal reaches the parent alone, which ends the child
                preexec_fn=partial(die_with_parent, signal.SIGKILL),  # noqa: PLW1509 - it only makes one system call
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> None:
        """Send a message; a long one waits until the child reads it.

        Raises:
            ChildEnded: the child has ended.
        """
        try:
            self._connection.send(message)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChildEnded(self._process.wait()) from error

    def receive(self, seconds: float) -> Any:  # noqa: ANN401 - whatever the child sends
        """The next message; None if there is none within `seconds`.

        Raises:
            ChildEnded: the child has ended, and sends nothing any more.
        """
        try:
            return self._connection.recv() if self._connection.poll(seconds) else None
        except (EOFError, ConnectionResetError) as error:
            raise ChildEnded(self._process.wait()) from error

    def kill(self) -> None:
        """End the child at once; when this returns, it has no file open any more."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.kill()


def open_connection() -> Connection:
    """The child's end of the connection to its parent, from its first argument. Call it first in the child.

    Signals that end a service in order do not end the child: its parent receives them, too, and kills it.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    return Connection(int(sys.argv[1]))
