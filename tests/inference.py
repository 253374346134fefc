"""Shared by the tests of workers: crops, a registry entry, an engine controlled by the pixels, and worker processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np
import redis

from contract import keys
from contract.judgement import Thresholds
from contract.messages import Crop, Dead, Face, FrameDone, FrameId, Outcome, Quality, SourceStatus, read_outcome
from contract.model.folder import MODEL_FILE, ModelCard, sha256
from contract.model.labels import EMOTIONS_5
from contract.model.normalisation import CROP_BYTES
from contract.redis.broker import connect
from contract.service.settings import load
from inference_service.engines import EngineError
from inference_service.service import build
from inference_service.settings import InferenceSettings

GROUP = keys.INFERENCE_GROUP
RAISES, KILLS = b"the engine raises", b"the process dies"
FIRST_MS = 1_700_000_000_000
THRESHOLDS = Thresholds(min_probability=0.5, min_margin=0.1, precision=0.95)


def face(index: int = 0) -> Face:
    return Face(index, 3, (10.0, 20.0, 50.0, 60.0), 0.9, Quality(0.5, 0.4, 60.0, 0.1, 1.0))


def crop(source: str, frame: int, *, index: int = 0, mark: bytes = b"", captured_ms: int = 1000, deadline_ms: int = 0):
    """A crop whose pixels begin with `mark`, which `ObedientEngine` obeys."""
    noise = np.random.default_rng(frame + 1).integers(0, 256, CROP_BYTES, dtype=np.uint8).tobytes()
    return Crop(FrameId(source, "e1", frame), face(index), captured_ms, deadline_ms, mark + noise[len(mark) :])


def frame_done(source: str, frame: int, faces: int = 1) -> FrameDone:
    return FrameDone(FrameId(source, "e1", frame), 1000, faces, 640, 480)


def add(client: redis.Redis, source: str, *entries, register: bool = True) -> list[bytes]:
    """Add crops, frames, or plain fields to a source's stream; returns their ids."""
    if register:
        announce(client, source)
    pipeline = client.pipeline(transaction=False)
    for entry in entries:
        pipeline.xadd(keys.crops(source), entry if isinstance(entry, dict) else entry.fields())
    return pipeline.execute()


def announce(client: redis.Redis, source: str, kind: str = "job", age_ms: int = 0) -> None:
    now = int(client.time()[0]) * 1000
    status = SourceStatus(name=source, kind=kind, state="ONLINE", since_ms=now, seen_ms=now - age_ms)
    client.hset(keys.SOURCES, source, status.model_dump_json())


def results(client: redis.Redis, source: str) -> list[Outcome]:
    return [read_outcome(fields) for _, fields in client.xrange(keys.results(source))]


def dead(client: redis.Redis, source: str) -> list[Dead]:
    return [Dead.read(fields) for _, fields in client.xrange(keys.dead(source))]


def frames(outcomes: list[Outcome]) -> list[int]:
    return [outcome.id.frame for outcome in outcomes]


def pending(client: redis.Redis, source: str) -> int:
    return client.xpending(keys.crops(source), GROUP)["pending"]


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def until_outcomes(client: redis.Redis, source: str, count: int, seconds: float = 20.0) -> None:
    until(lambda: client.xlen(keys.results(source)) + client.xlen(keys.dead(source)) >= count, seconds)


class ObedientEngine:
    """Returns constant probabilities, but raises or kills the process if the pixels begin with such a mark."""

    name = "obedient"
    precision = "f32"
    card = ModelCard(name="obedient", version="1.0.0", labels=EMOTIONS_5, uncertain=THRESHOLDS, files={})

    def __init__(self, seconds_per_batch: float = 0.0) -> None:
        self.seconds_per_batch = seconds_per_batch
        self.broken = False
        self.batches: list[int] = []

    def classify(self, pixels):
        time.sleep(self.seconds_per_batch)
        self.batches.append(len(pixels))
        for one in pixels:
            if one.tobytes().startswith(KILLS):
                os._exit(9)
            if self.broken or one.tobytes().startswith(RAISES):
                raise EngineError("failure on request")
        return np.full((len(pixels), 5), 0.2, np.float32)


def work_here(url: str, engine: ObedientEngine, stop: Event | None = None, **settings: object) -> None:
    """Run a worker on this thread."""
    with closing(connect(url, "test-worker")) as clients:
        worker = build(
            load(InferenceSettings, **{"redis_url": url, "claim_after": "300ms", **settings}), engine, clients
        )
        worker.run(stop or Event())


@contextmanager
def working(url: str, engine: ObedientEngine | None = None, **settings: object) -> Iterator[None]:
    """A worker on a thread of this process, stopped and drained at the end."""
    stop = Event()
    arguments = (url, engine or ObedientEngine(), stop)
    thread = Thread(target=work_here, args=arguments, kwargs=settings)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@contextmanager
def processes() -> Iterator[Callable[..., subprocess.Popen]]:
    """A function that starts worker processes, with `ObedientEngine` by default; killed at the end."""
    started: list[subprocess.Popen] = []

    def start(url: str, module: str = "tests.obedient_worker", **settings: object) -> subprocess.Popen:
        values = {"redis_url": url, "claim_after": "300ms", **settings}
        environment = {**os.environ, **{f"EMOTII_{name.upper()}": str(value) for name, value in values.items()}}
        started.append(
            subprocess.Popen([sys.executable, "-m", module], env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.communicate()


def write_tiny_model(folder: Path, **card: object) -> Path:
    """A model folder whose network classifies faces by brightness; for tests only."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.linspace(-4, 4, 5, dtype=np.float32)[np.newaxis]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["face"], ["brightness"], axes=[1, 2], keepdims=0),
            helper.make_node("Gemm", ["brightness", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["batch", 48, 48, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 5])],
        [numpy_helper.from_array(weights, "weights")],
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    about = {"name": "tiny", "version": "1.0.0", "labels": EMOTIONS_5, "files": {path.name: sha256(path)}, **card}
    (folder / MODEL_FILE).write_text(ModelCard(**about).model_dump_json())
    return folder
