"""LitServe with this project's network and engine behind it.

    python -m benchmarks.comparisons.litserve_server PORT

Batches of up to 32 that wait 2 ms, one worker per core, and its fast queue between the processes.
"""

import os
import sys
from base64 import b64decode

import litserve
import numpy as np
from fastapi import Response
from numpy.typing import NDArray

from contract.model.folder import find_model
from contract.model.normalisation import CROP_SIZE
from inference_service.engines.openvino import OpenVinoEngine
from inference_service.settings import InferenceSettings

BATCH = 32
Crop = NDArray[np.uint8]
Row = NDArray[np.float32]


class Faces(litserve.LitAPI):  # type: ignore[misc]  # LitServe has no types
    """A crop in base64, because LitServe reads JSON or forms; returns its probabilities as float32."""

    def setup(self, _device: str) -> None:
        model = find_model(InferenceSettings.model_fields["model"].default)
        self._engine = OpenVinoEngine(model, precision="auto", threads=1, batch=BATCH)

    def decode_request(self, request: dict[str, str]) -> Crop:
        """(48, 48) uint8."""
        return np.frombuffer(b64decode(request["pixels"]), np.uint8).reshape(CROP_SIZE, CROP_SIZE)

    def batch(self, crops: list[Crop]) -> Crop:
        return np.stack(crops)

    def predict(self, crops: Crop) -> Row:
        return self._engine.classify(crops)

    def unbatch(self, rows: Row) -> list[Row]:
        return list(rows)

    def encode_response(self, row: Row) -> Response:
        return Response(row.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    api = Faces(max_batch_size=BATCH, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=os.cpu_count() or 1, fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
