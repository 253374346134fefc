"""The settings of a worker."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from contract.service.settings import Duration, ServiceSettings

Precision = Literal["auto", "int8", "bf16", "f32"]


class InferenceSettings(ServiceSettings):
    """What a worker can be told; nothing has to be."""

    engine: Literal["openvino", "tensorflow"] = Field(
        "openvino", description="Runtime of the model: openvino (CPU) or tensorflow (the reference, and GPU)."
    )
    model: str = Field("emotii-8", description="Model: the name of a shipped one, or a path to a model's folder.")
    precision: Precision = Field(
        "auto",
        description="What OpenVINO computes with: int8 (8-bit integers, for models that have them), bf16 (bfloat16"
        " where the CPU has it, else f32) or f32. auto takes int8 where the model has it on an x86, else bf16."
        " TensorFlow has no int8, and computes exactly with f32 only.",
    )
    threads: Annotated[int, Field(ge=0, le=256)] = Field(
        1, description="Threads of the engine; 0 takes every core. More workers scale better than more threads."
    )
    batch: Annotated[int, Field(ge=1, le=256)] = Field(32, description="The most crops that are classified at once.")
    linger: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(milliseconds=20))] = Field(
        timedelta(milliseconds=2), description="How long to wait for a fuller batch; only while work is waiting anyway."
    )
    reuse: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=1))] = Field(
        timedelta(0),
        description="How long a live face that has hardly changed keeps its reading instead of being classified again;"
        " 0 classifies every crop.",
    )
    claim_after: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=5))] = Field(
        timedelta(seconds=5),
        description="After this long the crops of a silent worker go to another; longer than the longest batch.",
    )
    live_keep: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        2000, description="About how many results of a live source stay in Redis; those of a job all stay."
    )
