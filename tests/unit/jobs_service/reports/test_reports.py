"""The chart, the annotated video and the report."""

import io
import os
import re
from collections import Counter
from fractions import Fraction

import cv2
import pytest

from capture_service.jobs.producer import recording
from capture_service.settings import CaptureSettings
from contract.errors import SettingsError
from contract.model.folder import find_model
from jobs_service.outputs.jsonl import read_lines
from jobs_service.outputs.outcomes import UnclassifiedFace
from jobs_service.reports import colours
from jobs_service.reports.annotated import draw_video
from jobs_service.reports.best_faces import cut_faces, strongest_episodes
from jobs_service.reports.chart import clock, draw_chart
from jobs_service.reports.model_facts import ModelFacts, model_facts
from jobs_service.reports.report import Report
from jobs_service.reports.timeline import build_timeline
from tests.recording import LABELS, outcome, reading, recorded, write_clip
from tests.videos import flat, write_video

SETTINGS = CaptureSettings()


@pytest.fixture
def clip(tmp_path):
    return recording(str(write_clip(tmp_path / "clip.mp4")))


@pytest.fixture
def written(tmp_path):
    """A second of one awake face, with a frame and a face that could not be read."""
    frames = [outcome(n, reading(n, awake=0.97)) for n in range(25)]
    frames[3] = outcome(3, note="the file is damaged here")
    frames[4] = outcome(4, reading(4, awake=0.97), UnclassifiedFace(4, 1, "the engine failed on it"))
    return recorded(tmp_path, *frames)


def timeline_of(record, outputs, name="clip.mp4"):
    return build_timeline(
        name, read_lines(outputs.readings_jsonl), record.episodes, record.counts.frames, record.counts.last_ms
    )


def frames_of(path):
    video, found = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        found.append(read[1])
    fps = video.get(cv2.CAP_PROP_FPS)
    video.release()
    return found, fps


def test_the_video_has_every_frame_at_the_speed_of_the_recording_with_labels(clip, written, tmp_path):
    _, outputs = written
    seen = []
    path = tmp_path / "annotated.webm"
    draw_video(path, clip, SETTINGS, read_lines(outputs.readings_jsonl), 25.0, seen.append)
    frames, fps = frames_of(path)
    assert len(frames) == 25
    assert fps == pytest.approx(25, abs=0.1)
    assert seen == list(range(1, 26))
    assert path.read_bytes().startswith(b"\x1a\x45\xdf\xa3")  # EBML: what browsers open as WebM
    flat = [frame.std() for frame in frames]
    assert min(flat[0], flat[10], flat[24]) > 5, "a box and a word on every face"
    assert flat[3] < min(flat[0], flat[10], flat[24]) / 2, "nothing on the frame whose faces are not known"


def test_frames_with_a_long_duration_are_shown_for_that_duration(written, tmp_path):
    _, outputs = written
    slow = recording(str(write_clip(tmp_path / "slow.mp4", frames=4, fps=0.5)))
    draw_video(tmp_path / "slow.webm", slow, SETTINGS, read_lines(outputs.readings_jsonl), 0.5, lambda _: None)
    frames, fps = frames_of(tmp_path / "slow.webm")
    assert len(frames) / fps == pytest.approx(7, abs=0.1), (
        "three times two seconds, and the last frame for one grid step"
    )


def test_the_video_has_the_shape_that_a_player_shows(written, tmp_path):
    _, outputs = written
    wide = recording(str(write_video(tmp_path / "wide.mp4", flat([90] * 3, 720, 576), aspect=Fraction(64, 45))))
    draw_video(tmp_path / "wide.webm", wide, SETTINGS, read_lines(outputs.readings_jsonl), 25.0, lambda _: None)
    frames, _ = frames_of(tmp_path / "wide.webm")
    assert {frame.shape for frame in frames} == {(576, 1024, 3)}


def test_a_video_is_written_under_any_name(clip, written, tmp_path):
    _, outputs = written
    path = tmp_path / os.fsdecode(b"caf\xe9 %d.webm")
    draw_video(path, clip, SETTINGS, read_lines(outputs.readings_jsonl), 25.0, lambda _: None)
    path.rename(tmp_path / "named.webm")
    assert len(frames_of(tmp_path / "named.webm")[0]) == 25


def test_a_video_on_a_full_disk_is_reported(clip, written, tmp_path, monkeypatch):
    _, outputs = written
    path = tmp_path / "annotated.webm"
    path.symlink_to("/dev/full")
    with pytest.raises(SettingsError, match=r"cannot write annotated.webm"):
        draw_video(path, clip, SETTINGS, read_lines(outputs.readings_jsonl), 25.0, lambda _: None)


def test_the_chart_is_a_picture_for_any_labels_and_without_faces(written, tmp_path):
    (tmp_path / "none").mkdir()
    for timeline in (timeline_of(*written), timeline_of(*recorded(tmp_path / "none", outcome(0), outcome(1)))):
        file = io.BytesIO()
        draw_chart(timeline, file)
        assert file.getvalue().startswith(b"\x89PNG")


def test_labels_of_one_colour_differ_in_hatching():
    labels = [f"label-{n}" for n in range(20)]
    common, count = Counter(map(colours.colour, labels)).most_common(1)[0]
    alike = [label for label in labels if colours.colour(label) == common]
    assert count > 2
    assert len({colours.hatch(label, labels) for label in alike}) == min(len(alike), len(colours.HATCHES))


@pytest.mark.parametrize(
    ("seconds", "duration_ms", "shown"),
    [(1.26, 3000, "1.3 s"), (61, 90_000, "1:01"), (59.6, 90_000, "1:00"), (3725, 7_200_000, "1:02:05")],
)
def test_times_are_formatted_as_people_write_them(seconds, duration_ms, shown):
    assert clock(seconds, duration_ms) == shown


def page(written, clip, name="clip.mp4", facts=None):
    record, outputs = written
    timeline = timeline_of(record, outputs, name)
    shown = strongest_episodes(timeline.episodes)
    faces = [*(one.best_face for one in shown), *(track.best_face for track in timeline.tracks)]
    facts = facts or ModelFacts(timeline.model, timeline.labels, {}, 0.95, ("It knows only students.",))
    return Report(
        timeline, record.counts, facts, shown, cut_faces(faces, clip, SETTINGS, lambda _: None), "0" * 64
    ).html()


def test_the_report_loads_nothing_and_runs_no_script(written, clip):
    html = page(written, clip)
    urls = re.findall(r"""(?:src|href|url|action)\s*[=(]\s*["']?([^"'\s>)]+)""", html)
    assert urls
    assert all(one.startswith("data:image/") for one in urls)
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_the_report_contains_faces_emotions_and_failures(written, clip):
    html = page(written, clip)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    for phrase in ("Face 1", "awake", "probabilities of expressions", "not facts about what anybody felt"):
        assert phrase in words
    assert "frame 3 at 0.1 s: the file is damaged here" in words
    assert "frame 4: the engine failed on it" in words
    assert "mine@1.0.0 distinguishes: awake, dozing, tired" in words
    assert "It knows only students." in words
    assert html.count("data:image/jpeg") == 2, "the portrait, and the best face"


def test_no_label_of_another_model_is_in_the_report(written, clip):
    html = page(written, clip)
    assert not re.search(r"\b(angry|fear|happy|sad|surprise|neutral|disgust|contempt)\b", html)


def test_the_name_of_a_recording_is_text_and_never_markup(written, clip):
    html = page(written, clip, name="<img src=http://evil.example/x>.mp4")
    assert "<img src=http" not in html
    assert "&lt;img src=http" in html


def test_a_recording_without_faces_has_a_report(tmp_path, clip):
    html = page(recorded(tmp_path, outcome(0), outcome(1)), clip, facts=ModelFacts("", (), {}, None, ()))
    assert "No face was found" in html


def test_facts_about_an_installed_model_come_from_its_folder_and_other_models_have_only_labels():
    shipped = model_facts(find_model("emotii-5").card.id, ("a", "b"), "emotii-8")
    assert shipped.scores["accuracy"] > 0.8
    assert any("never what a person feels" in limit for limit in shipped.limits)
    other_version = model_facts("emotii-5@0.0.1", ("a", "b"), "emotii-8")
    unknown = model_facts("mine@1.0.0", LABELS, "no-such-model")
    assert (other_version.scores, unknown.scores, unknown.limits, unknown.labels) == ({}, {}, (), LABELS)


def test_the_best_faces_are_the_strongest_of_each_track_and_emotion(tmp_path):
    shown = [*[0.96] * 20, *[0.02] * 20, *[0.99] * 20]
    record, _ = recorded(tmp_path, *(outcome(n, reading(n, awake=value)) for n, value in enumerate(shown)))
    chosen = strongest_episodes(record.episodes)
    assert len(record.episodes) >= 2
    assert len({(one.track, one.emotion) for one in chosen}) == len(chosen)
    assert max(one.peak.confidence for one in chosen) == max(one.peak.confidence for one in record.episodes)
