"""OpenVINO without three of its defaults. Import `openvino` and its `core` from here.

- Its wheel depends on `openvino-telemetry`, which sends an event to its makers whenever `openvino` is imported. Where
  that package cannot be imported, OpenVINO uses a stub that does nothing.
- It imports its model converter if it can, which nothing here uses: a third of the time of the import, and 14 MB of
  memory in every process.
- It crashes a process that frees its last `Core`: see `core`.
"""

import sys
from functools import cache

for _unwanted in ("openvino_telemetry", "openvino.tools"):
    sys.modules.setdefault(_unwanted, None)  # type: ignore[arg-type]  # None is how an import is forbidden

import openvino  # noqa: E402

__all__ = ["core", "openvino"]


@cache
def core() -> openvino.Core:
    """The one Core of this process, which is never freed.

    The CPU plugin gives the thread that compiles a model an alternate signal stack. It frees that memory with the last
    Core but leaves the stack registered: the next signal that Python handles would then crash the process.
    """
    return openvino.Core()
