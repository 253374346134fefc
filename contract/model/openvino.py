"""OpenVINO with three of its habits mended. Import it from here, and take its `Core` from here.

Its wheel brings `openvino-telemetry`, which sends an event to its makers whenever `openvino` is imported. Where that
package cannot be imported, OpenVINO takes a stub that does nothing.

It also imports its converter of models if it can, which nothing here uses: a third of the time that the import takes,
and 14 MB of memory in every process.
"""

import sys
from functools import cache

for _unwanted in ("openvino_telemetry", "openvino.tools"):
    sys.modules.setdefault(_unwanted, None)  # type: ignore[arg-type]  # None is how an import is forbidden

import openvino  # noqa: E402

__all__ = ["core", "openvino"]


@cache
def core() -> openvino.Core:
    """The one Core of this process, which lives as long as the process.

    The CPU plugin gives the thread that compiles a model an alternate signal stack, and frees that memory when the last
    Core goes, without taking the stack back: the next signal that Python handles would then crash the process.
    """
    return openvino.Core()
