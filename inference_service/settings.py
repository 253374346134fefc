"""The settings of a worker."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from contract.service.settings import Duration, ServiceSettings

Precision = Literal["auto", "int8", "bf16", "f32"]


class InferenceSettings(ServiceSettings):
    """The settings of a worker; each has a default."""

    engine: Literal["openvino", "tensorflow"] = Field(
        "openvino", description="Inference engine: openvino (CPU) or tensorflow (the reference; CPU or GPU)."
    )
    model: str = Field("emotii-8", description="Model: the name of a shipped model, or the path of a model folder.")
    precision: Precision = Field(
        "auto",
        description="Precision of OpenVINO: int8 (8-bit integers, for models that have them), bf16 (bfloat16 if the "
        "CPU supports it, else f32) or f32. auto uses int8 for models that have it on x86, else bf16. "
        "TensorFlow does not support int8, and is exact only with f32.",
    )
    threads: Annotated[int, Field(ge=0, le=256)] = Field(
        1, description="Threads of the engine; 0: all cores. More workers scale better than more threads."
    )
    batch: Annotated[int, Field(ge=1, le=256)] = Field(32, description="Maximum number of crops per batch.")
    linger: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(milliseconds=20))] = Field(
        timedelta(milliseconds=2), description="How long to wait for a fuller batch, if work is waiting."
    )
    claim_after: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=5))] = Field(
        timedelta(seconds=5),
        description="Crops of a worker that is silent for this long are claimed by another worker. Must be longer "
        "than the longest batch.",
    )
    live_keep: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        2000,
        description="Approximate number of results per live source that Redis keeps; the results of jobs are all kept.",
    )
