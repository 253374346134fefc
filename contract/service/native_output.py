"""Output of libraries in C: libjpeg writes a line to stderr for each damaged picture, and nothing bounds such lines."""

import os
import sys


def discard_native_output() -> None:
    """Have `sys.stderr` write where it wrote, and discard what libraries write to the descriptor 2 of this process.

    Call it before logs are configured. Python's tracebacks and this project's logs use `sys.stderr`.
    """
    sys.stderr.flush()
    kept = os.dup(sys.stderr.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = open(kept, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)  # noqa: SIM115 - for as long as the process lives
