"""OpenVINO, kept from reporting its use. Import it from here: `from contract.openvino import openvino`.

Its wheel brings `openvino-telemetry`, which sends an event to its makers whenever `openvino` is imported. Where that
package cannot be imported, OpenVINO takes a stub that does nothing.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is how an import is forbidden

import openvino  # noqa: E402

__all__ = ["openvino"]
