import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import cv2
import numpy as np
import pytest

from capture_service import detectors
from capture_service.jobs.producer import JobProducer, JobStopped, recording
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import parse_list
from contract import keys
from contract.errors import SourceError
from contract.messages import Crop, FrameDone, Manifest
from tests.capture import entries, status, until
from tests.inference import ObedientEngine, working


@contextmanager
def producing(clients, sent_entries, spec, **more):
    producer = JobProducer(clients, spec, detectors.load("blazeface"), CaptureSettings(**more), sent_entries)
    try:
        yield producer
    finally:
        producer.close()


@pytest.fixture
def sent_entries(tmp_path):
    return tmp_path / "sent"


def of_kind(kind, found):
    return [entry for entry in found if isinstance(entry, kind)]


def test_every_face_of_every_frame_is_sent_once_and_then_the_manifest(any_clients, sent_entries):
    client = any_clients.commands
    with producing(any_clients, sent_entries, recording("demo", passes=2)) as producer:
        assert producer.total_frames == 240
        manifest = producer.run(Event())
        found = entries(client, producer.source)
        shown = until(lambda: status(client, producer.source))

        crops, ends = of_kind(Crop, found), of_kind(FrameDone, found)
        assert (
            found[-1] == manifest == Manifest(ends[-1].id.__class__(producer.source, producer.epoch, 240), len(crops))
        )
        assert [end.id.frame for end in ends] == list(range(240))
        assert [end.previous for end in ends] == [None, *range(239)]
        assert producer.sent() == {end.id.frame: end.faces for end in ends}
        assert [(crop.id.frame, crop.face.index) for crop in crops] == [
            (end.id.frame, index) for end in ends for index in range(end.faces)
        ]
        assert (producer.frames_sent, producer.crops_sent) == (240, len(crops))
        assert {crop.deadline_ms for crop in crops} == {0}
        assert [end.captured_ms for end in ends] == sorted({end.captured_ms for end in ends})
        assert ends[15].captured_ms == pytest.approx(1000, abs=2)
        assert (shown.kind, shown.state) == ("job", "ONLINE")

        source = producer.source
        assert not sent_entries.exists()
    assert status(client, source) is None
    assert client.xlen(keys.crops(source)) == 0
    until(lambda: client.keys("*") == [])


def test_anything_that_was_sent_can_be_sent_again_with_the_same_pixels(clients, sent_entries):
    client = clients.commands
    with producing(clients, sent_entries, recording("demo")) as producer:
        producer.run(Event())
        first = entries(client, producer.source)
        client.xtrim(keys.crops(producer.source), maxlen=0, approximate=False)

        producer.resubmit([0, 119, 7_000_000], {(119, 1), (0, 0), (0, 99)}, Event())

        assert entries(client, producer.source) == [
            next(entry for entry in of_kind(Crop, first) if (entry.id.frame, entry.face.index) == (0, 0)),
            next(entry for entry in of_kind(FrameDone, first) if entry.id.frame == 0),
            next(entry for entry in of_kind(Crop, first) if (entry.id.frame, entry.face.index) == (119, 1)),
            next(entry for entry in of_kind(FrameDone, first) if entry.id.frame == 119),
        ]


def test_sending_again_waits_for_the_reader_and_ends_with_the_stop(clients, sent_entries):
    client = clients.commands
    with (
        producing(clients, sent_entries, recording("demo"), job_backlog_limit=100) as producer,
        ThreadPoolExecutor(1) as pool,
    ):
        crops, stop = keys.crops(producer.source), Event()
        running = pool.submit(producer.run, Event())
        while not running.done():
            client.xtrim(crops, maxlen=0, approximate=False)
            time.sleep(0.01)
        wanted = {(frame, index) for frame, faces in producer.sent().items() for index in range(faces)}
        again = pool.submit(producer.resubmit, range(120), wanted, stop)
        until(lambda: client.xlen(crops) >= 100)
        time.sleep(0.2)
        assert client.xlen(crops) < 220
        assert not again.done()
        stop.set()
        with pytest.raises(JobStopped):
            again.result(5)


def test_forgotten_frames_need_no_disk_space_and_are_not_sent_again(clients, sent_entries):
    with producing(clients, sent_entries, recording("demo")) as producer:
        producer.run(Event())
        producer.forget(10)  # not worth the trouble yet
        assert len(producer.sent()) == 120
        producer.forget(100)
        assert list(producer.sent()) == list(range(100, 120))
        clients.commands.xtrim(keys.crops(producer.source), maxlen=0, approximate=False)
        producer.resubmit([99, 100], {(99, 0)}, Event())
        assert [entry.id.frame for entry in entries(clients.commands, producer.source)] == [100]


def test_keys_of_a_job_expire_when_its_process_ended_and_are_renewed_while_it_runs(any_clients, sent_entries):
    client = any_clients.commands
    with producing(any_clients, sent_entries, recording("demo")) as producer:
        producer.run(Event())
        assert client.ttl(keys.crops(producer.source)) > 60
        for key in keys.of_job(producer.source)[1:]:
            client.set(key, "a string", ex=5)
        client.expire(keys.crops(producer.source), 5)
        client.hdel(keys.SOURCES, producer.source)
        until(lambda: all(client.ttl(key) > 60 for key in keys.of_job(producer.source)))
        until(lambda: status(client, producer.source))


def test_a_worker_that_commits_after_a_job_was_closed_leaves_nothing_behind(server, clients, sent_entries):
    client = clients.commands
    with working(server.url, ObedientEngine(1.0), batch=4):
        with producing(clients, sent_entries, recording("demo")) as producer:
            running = ThreadPoolExecutor(1).submit(producer.run, Event())
            running.result(60)
            until(lambda: client.xlen(keys.results(producer.source)) > 0)
        until(lambda: not any(client.exists(key) for key in keys.of_job(producer.source)))
        assert status(client, producer.source) is None
        time.sleep(1.5)
        assert not any(client.exists(key) for key in keys.of_job(producer.source))


def test_an_empty_request_to_send_again_sends_nothing(clients, sent_entries):
    with producing(clients, sent_entries, recording("demo")) as producer:
        producer.resubmit([], [], Event())
        assert clients.commands.xlen(keys.crops(producer.source)) == 0


def test_reading_waits_for_workers_and_for_the_reader(clients, sent_entries):
    client = clients.commands
    with (
        producing(clients, sent_entries, recording("demo"), job_backlog_limit=100) as producer,
        ThreadPoolExecutor(1) as pool,
    ):
        stop, crops, results = Event(), keys.crops(producer.source), keys.results(producer.source)
        running = pool.submit(producer.run, stop)
        until(lambda: client.xlen(crops) >= 100)
        # Workers that read on without a reader move the entries, which makes no room.
        for _ in range(100):
            client.xadd(results, {"x": "y"})
        client.xtrim(crops, maxlen=0, approximate=False)
        sent = producer.frames_sent
        time.sleep(0.3)
        assert producer.frames_sent <= sent + 1
        client.xtrim(results, maxlen=0, approximate=False)
        while not running.done():
            assert client.xlen(crops) <= 100 + 4
            client.xtrim(crops, maxlen=0, approximate=False)
            time.sleep(0.01)
        assert running.result().id.frame == 120


def test_a_stopped_job_reports_that_it_was_stopped(clients, sent_entries):
    stop = Event()
    stop.set()
    with producing(clients, sent_entries, recording("demo")) as producer, pytest.raises(JobStopped):
        producer.run(stop)


def test_a_job_goes_on_after_a_crash_of_redis_and_can_fill_the_gap(any_server, any_clients, sent_entries):
    client = any_clients.commands
    with producing(any_clients, sent_entries, recording("demo", passes=2)) as producer, ThreadPoolExecutor(1) as pool:
        running = pool.submit(producer.run, Event())
        until(lambda: producer.frames_sent > 50)
        os.kill(any_server.pid, signal.SIGKILL)
        until(lambda: any_server.pid is None)
        time.sleep(1)
        any_server.start()
        manifest = running.result(60)

        sent = producer.sent()
        assert len(sent) == manifest.id.frame == 240
        assert sum(sent.values()) == manifest.crops
        stored = entries(client, producer.source)
        frames = [entry.id.frame for entry in of_kind(FrameDone, stored)]
        crops = [(entry.id.frame, entry.face.index) for entry in of_kind(Crop, stored)]
        assert len(set(frames)) == len(frames)
        assert len(set(crops)) == len(crops)

        wanted = {(frame, index) for frame, faces in sent.items() for index in range(faces)}
        producer.resubmit(set(sent) - set(frames), wanted - set(crops), Event())

        stored = entries(client, producer.source)
        assert sorted(entry.id.frame for entry in of_kind(FrameDone, stored)) == list(range(240))
        assert {(entry.id.frame, entry.face.index) for entry in of_kind(Crop, stored)} == wanted
        assert len(of_kind(Crop, stored)) == len(wanted)
        until(lambda: status(client, producer.source))


def test_a_picture_that_cannot_be_read_keeps_its_place_in_a_job(clients, sent_entries, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (0, 2):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((40, 40, 3), np.uint8))
    (folder / "1.png").write_bytes(b"broken")
    with producing(clients, sent_entries, recording(str(folder))) as producer:
        assert producer.total_frames == 3
        producer.run(Event())
        ends = of_kind(FrameDone, entries(clients.commands, producer.source))
    assert [(end.id.frame, end.width, bool(end.note)) for end in ends] == [(0, 40, False), (1, 0, True), (2, 40, False)]


def test_a_camera_cannot_be_a_job(clients, sent_entries):
    with pytest.raises(SourceError, match="is not a recording"), producing(clients, sent_entries, parse_list("a=0")[0]):
        pass


@pytest.mark.parametrize("shared_video", ["classroom.gif"], indirect=True)
def test_a_real_video_gives_four_tracks(clients, sent_entries, shared_video):
    with producing(clients, sent_entries, recording(str(shared_video), passes=2)) as producer:
        producer.run(Event())
        crops = of_kind(Crop, entries(clients.commands, producer.source))
    assert {crop.face.track for crop in crops} == {1, 2, 3, 4}
    assert len(crops) > 3.7 * 90
