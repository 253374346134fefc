"""A stage for tests of the gateway: a small producer that plays capture and worker, and the gateway as a process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import cv2
import httpx
import numpy as np
import redis

from api_gateway.results.sinks import ProcessedReading
from contract import events, keys
from contract.judgement import Thresholds
from contract.messages import (
    Face,
    FrameDone,
    FrameFace,
    FrameHeader,
    FrameId,
    InboxPicture,
    Quality,
    Reading,
    SourceStatus,
    WorkerStatus,
)
from contract.redis.broker import Clients, connect
from postprocessing.track_processor import SmoothedReading

LABELS = ("angry", "fear", "happy", "sad", "surprise")
HAPPY = (0.01, 0.01, 0.95, 0.01, 0.02)
SAD = (0.02, 0.02, 0.03, 0.9, 0.03)
UNSURE = (0.05, 0.45, 0.05, 0.05, 0.4)
THRESHOLDS = Thresholds(min_probability=0.5, min_margin=0.1, precision=0.95)
QUALITY = Quality(0.5, 0.8, 90.0, 0.1, 1.0)
CLIP = Path(__file__).parents[1] / "capture_service" / "demo" / "demo.mp4"


def until(true: Callable[[], object], seconds: float = 15.0, what: str = "it") -> object:
    """The first truthy value; fails if there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def clip_frames(count: int = 12) -> list[np.ndarray]:
    """Real pictures: the first frames of the demo clip."""
    video = cv2.VideoCapture(str(CLIP))
    frames = []
    while len(frames) < count:
        there, frame = video.read()
        assert there, f"{CLIP} holds fewer frames"
        frames.append(frame)
    video.release()
    return frames


def reading(
    source: str = "front",
    frame: int = 0,
    track: int = 1,
    probabilities: tuple[float, ...] = HAPPY,
    box: tuple[float, float, float, float] = (100.0, 60.0, 80.0, 90.0),
    captured_ms: int = 1_000_000,
    index: int = 0,
    epoch: str = "e1",
    thresholds: Thresholds | None = THRESHOLDS,
    labels: tuple[str, ...] = LABELS,
) -> Reading:
    face = Face(index, track, box, 0.9, QUALITY)
    model = "test@1.0.0"
    identity = FrameId(source, epoch, frame)
    times = captured_ms, captured_ms + 5
    return Reading(identity, face, captured_ms, model, labels, probabilities, "w1", *times, thresholds)


def processed(
    smoothed: SmoothedReading, *, live: bool = True, age_ms: int | None = None, stages: events.Stages | None = None
) -> ProcessedReading:
    """What the sinks of a gateway receive of a reading."""
    answer = events.Answer.of(smoothed.probabilities, smoothed.judgement) if smoothed.judgement else None
    event = events.Reading.from_message(smoothed.reading, answer, age_ms, stages)
    return ProcessedReading(smoothed, event, live, smoothed.reading.captured_ms)


@dataclass
class Faces:
    """The faces in the picture: track -> (box, probabilities)."""

    shown: dict[int, tuple[tuple[float, float, float, float], tuple[float, ...]]] = field(
        default_factory=lambda: {1: ((220.0, 100.0, 120.0, 140.0), HAPPY), 2: ((60.0, 120.0, 60.0, 70.0), SAD)}
    )


class Producer:
    """Writes what a capture and a worker would, about `fps` times a second; survives a restart of the server."""

    def __init__(
        self, url: str, source: str = "front", *, order: int = 0, answers_uploads: bool = True, fps: float = 15
    ) -> None:
        self.clients: Clients = connect(url, "producer")
        self.source = source
        self.order = order
        self.fps = fps
        self.state: str
        self.reason: str
        self.warning: str
        self.address: str
        self.faces: Faces
        self.labels: tuple[str, ...]
        self.repeats: bool
        self.unread: bool
        """Whether no worker reads the faces."""
        self.disorder: bool
        """Whether every third frame is finished after the one behind it, as by a slower worker."""
        self.answer: Callable[[InboxPicture, int], None]
        """Called with every uploaded picture and the time in ms."""
        self.restore()
        self.frame = 0
        self.jpegs = 0
        self.last_receivers = 0
        self._sent: int | None = None
        self._held: list[dict[bytes, bytes]] = []
        self._uploads = answers_uploads
        self._pictures = clip_frames()
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._seen = "0-0"

    def restore(self) -> None:
        """As it was at first: online, and the two faces are shown."""
        self.state, self.reason = "ONLINE", ""
        self.warning, self.address = "", "webcam 0"
        self.faces, self.labels = Faces(), LABELS
        self.repeats = self.disorder = self.unread = False
        self.answer = self._answer

    def __enter__(self) -> "Producer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self.clients.close()

    def _run(self) -> None:
        while not self._stop.wait(1 / self.fps):
            try:
                self._turn()
            except redis.exceptions.RedisError:
                self._stop.wait(0.1)

    def _turn(self) -> None:
        seconds, micros = self.clients.commands.time()
        now = seconds * 1000 + micros // 1000
        self._register(now)
        if self.state == "ONLINE":
            self._publish(now)
        if self._uploads:
            self._answer_uploads(now)
        self.frame += 1

    def _register(self, now: int) -> None:
        status = SourceStatus(
            name=self.source,
            kind="camera",
            order=self.order,
            address=self.address,
            state=self.state,
            reason=self.reason,
            warning=self.warning,
            since_ms=now,
            seen_ms=now,
            epoch="e1",
            width=self._pictures[0].shape[1],
            height=self._pictures[0].shape[0],
            frames=self.frame,
            fps=self.fps,
        )
        uploads = SourceStatus(name=keys.UPLOADS, kind="inbox", order=999, state="ONLINE", since_ms=now, seen_ms=now)
        worker = WorkerStatus(consumer="w1", engine="none", model="test@1.0.0", labels=self.labels, seen_ms=now)
        pipeline = self.clients.commands.pipeline()
        pipeline.hset(keys.SOURCES, self.source, status.model_dump_json())
        pipeline.hset(keys.WORKERS, "w1", worker.model_dump_json())
        if self._uploads:
            pipeline.hset(keys.SOURCES, keys.UPLOADS, uploads.model_dump_json())
        pipeline.execute()

    def _publish(self, now: int) -> None:
        shown = list(self.faces.shown.items())
        picture = self._pictures[self.frame % len(self._pictures)]
        height, width = picture.shape[:2]
        faces = tuple(FrameFace(index=i, track=t, box=box, score=0.9) for i, (t, (box, _)) in enumerate(shown))
        header = FrameHeader(
            source=self.source,
            epoch="e1",
            frame=self.frame,
            captured_ms=now,
            width=width,
            height=height,
            faces=faces,
        )
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes() if self.last_receivers else b""
        self.jpegs += bool(jpeg)
        self.last_receivers = self.clients.commands.publish(keys.frames(self.source), header.encode(jpeg))
        if self.unread:
            return
        outcomes = [
            dict(reading(self.source, self.frame, track, probabilities, box, now, index, labels=self.labels).fields())
            for index, (track, (box, probabilities)) in enumerate(shown)
            for _ in range(1 + self.repeats)
        ]
        done = FrameDone(FrameId(self.source, "e1", self.frame), now, len(shown), width, height, previous=self._sent)
        self._sent = self.frame
        self._store([*outcomes, dict(done.fields())])

    def _store(self, outcomes: list[dict[bytes, bytes]]) -> None:
        if self.disorder and not self._held and self.frame % 3 == 0:
            self._held = outcomes
            return
        pipeline = self.clients.commands.pipeline()
        for fields in [*outcomes, *self._held]:
            pipeline.xadd(keys.results(self.source), dict(fields), maxlen=2000)
        self._held = []
        pipeline.execute()

    def _answer_uploads(self, now: int) -> None:
        entries = self.clients.commands.xread({keys.inbox(keys.UPLOADS): self._seen}, count=10) or []
        for _, pictures in entries:
            for entry, fields in pictures:
                self._seen = entry
                self.answer(InboxPicture.read(fields), now)
                self.clients.commands.xdel(keys.inbox(keys.UPLOADS), entry)

    def _answer(self, upload: InboxPicture, now: int) -> None:
        picture = cv2.imdecode(np.frombuffer(upload.picture, np.uint8), cv2.IMREAD_COLOR)
        identity = FrameId(keys.UPLOADS, upload.epoch, upload.frame)
        results = keys.results(keys.UPLOADS)
        if picture is None:
            done = FrameDone(identity, now, 0, 0, 0, "no picture that can be read")
            self.clients.commands.xadd(results, dict(done.fields()))
            return
        faces = 0 if picture.mean() < 1 else 2
        done = FrameDone(identity, now, faces, picture.shape[1], picture.shape[0])
        self.clients.commands.xadd(results, dict(done.fields()))  # before its readings, as several workers may do it
        for index in reversed(range(faces)):
            one = reading(keys.UPLOADS, upload.frame, index, index=index, epoch=upload.epoch, captured_ms=now)
            self.clients.commands.xadd(results, dict(one.fields()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class GatewayProcess:
    """`python -m api_gateway`, running."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/emotions"

    def get(self, path: str, **more: object) -> httpx.Response:
        return httpx.get(self.url + path, timeout=20, **more)

    def saved(self) -> list[Path]:
        return sorted(self.folder.glob("*/*.jpg"))

    def ready(self) -> bool:
        return self._is_well("/readyz")

    def alive(self) -> bool:
        return self._is_well("/healthz")

    def _is_well(self, probe: str) -> bool:
        try:
            return self.get(probe).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def gateway_process(url: str, folder: Path, **settings: str) -> Iterator[GatewayProcess]:
    """The gateway on a free port; its log is `folder`.log. It is killed at the end if it still runs."""
    port = free_port()
    given = {f"EMOTII_{name.upper()}": value for name, value in settings.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    ours = {
        "EMOTII_REDIS_URL": url,
        "EMOTII_PORT": str(port),
        "EMOTII_SAVED_FACES": str(folder),
        "EMOTII_AUDIT_LOG": str(folder.with_suffix(".audit.jsonl")),
        "EMOTII_SETTINGS_COPY": str(folder.with_suffix(".settings.json")),
        "EMOTII_DATABASE_URL": f"sqlite:///{folder.with_suffix('.db').absolute()}",
    }
    environment = kept | ours | given
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "api_gateway"], env=environment, stdout=output, stderr=output)
    running = GatewayProcess(process, port, folder, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
