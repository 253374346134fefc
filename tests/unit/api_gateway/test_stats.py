from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

from api_gateway.stats import Stats
from contract import events
from contract.messages import SourceStatus, WorkerStatus
from postprocessing.track_processor import SmoothedReading
from tests.stage import processed, reading


class Clock:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Registry:
    reachable: bool = True
    backlog: dict[str, int] = field(default_factory=lambda: {"front": 7})
    waiting_ms: dict[str, int] = field(default_factory=lambda: {"front": 30})

    def sources(self) -> list[SourceStatus]:
        about = {
            "kind": "camera",
            "state": "ONLINE",
            "since_ms": 0,
            "seen_ms": 0,
            "fps": 14.96,
            "frames": 90,
            "skipped": 4,
        }
        return [SourceStatus(name="front", **about), SourceStatus(name="back", **about)]

    def workers(self) -> list[WorkerStatus]:
        return [WorkerStatus(consumer=name, engine="none", model="m@1", labels=("a",), seen_ms=0) for name in "xy"]


class Saver:
    on, paused = True, ""
    election = SimpleNamespace(is_leader=False)


class History:
    def event(self) -> events.History:
        return events.History(on=True, here=True, trouble="", waiting=0, dropped=0)


class Product:
    def event(self) -> events.Settings:
        return events.Settings(saving=False, blur="mask")


class Scene:
    """Figures of a gateway whose second lasts as long as the test says."""

    def __init__(self) -> None:
        self.clock, self.encoded = Clock(), Counter[str]()
        self.stats = Stats(
            Registry(),
            Saver(),
            History(),
            Product(),
            self.encoded,
            {"front": 2, "back": 0}.get,
            SimpleNamespace(last=None),
            SimpleNamespace(troubles=tuple),
            self.clock,
        )

    def count(self, source: str, age_ms: int | None, stages: events.Stages | None, *, stale: bool) -> None:
        message = reading(source, probabilities=(), labels=()) if stale else reading(source)
        self.stats.reading(processed(SmoothedReading(message, 0, {}, None), age_ms=age_ms, stages=stages))

    def second(self, ms: int = 1000) -> events.Stats:
        self.clock.ms += ms
        return self.stats.finish_second()


def stages(detect_ms: int, infer_ms: int, deliver_ms: int) -> events.Stages:
    return events.Stages(detect_ms=detect_ms, infer_ms=infer_ms, deliver_ms=deliver_ms)


def test_the_statistics_of_a_second_are_its_medians_and_rates():
    scene = Scene()
    scene.count("front", 30, stages(10, 15, 5), stale=False)
    scene.count("front", 40, stages(20, 10, 10), stale=False)
    scene.count("front", 900, stages(300, 300, 300), stale=False)
    scene.count("front", 2000, None, stale=True)
    front = scene.second(2000).sources["front"]
    assert (front.readings_per_s, front.stale, front.age_ms) == (2.0, 1, 40)
    assert front.stages == events.StageMedians(detect_ms=20, infer_ms=15, deliver_ms=10)
    assert (front.waiting_ms, front.gaps) == (30, 2)
    assert (front.backlog, front.fps, front.frames, front.skipped) == (7, 15.0, 90, 4)


def test_a_source_without_readings_has_no_latency_and_no_stages():
    back = Scene().second().sources["back"]
    assert (back.readings_per_s, back.age_ms, back.stages, back.encodes) == (0.0, None, None, 0)


def test_a_recording_has_a_rate_but_no_latency():
    scene = Scene()
    scene.count("front", None, None, stale=False)
    front = scene.second().sources["front"]
    assert (front.readings_per_s, front.age_ms, front.stages) == (1.0, None, None)


def test_each_second_is_counted_separately_and_a_request_returns_the_last_complete_one():
    scene = Scene()
    scene.count("front", 30, None, stale=False)
    scene.second()
    scene.count("front", 99, None, stale=False)
    scene.count("front", 99, None, stale=False)
    assert scene.stats.event().sources["front"].readings_per_s == 1.0
    assert scene.second().sources["front"].readings_per_s == 2.0
    assert scene.second().sources["front"].readings_per_s == 0.0


def test_the_number_of_encodings_is_that_of_the_second():
    scene = Scene()
    scene.encoded["front"] += 15
    assert scene.second().sources["front"].encodes == 15
    assert scene.second().sources["front"].encodes == 0
    scene.encoded["front"] += 3
    assert scene.second().sources["front"].encodes == 3


def test_the_other_statistics_come_from_the_other_components():
    stats = Scene().second()
    assert (stats.redis, stats.workers, stats.models) == (True, 2, ("m@1",))
    assert stats.saving == events.Saving(on=True, here=False, paused="")
    assert stats.settings == events.Settings(saving=False, blur="mask")
    assert stats.history.here is True
