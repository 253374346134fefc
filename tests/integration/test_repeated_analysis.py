"""The same recording, model, version and settings give the same bytes in every file."""

import io
import json
from importlib.metadata import version
from pathlib import Path

import cv2
import pytest
from rich.console import Console

from capture_service.sources.spec import DEMO_CLIP
from contract.model.folder import sha256
from emotii.commands.analyze import analyze
from emotii.local.redis_server import PrivateServer
from emotii.settings import UpSettings
from jobs_service.outputs.outputs import Outputs
from tests.inference import processes

pytestmark = pytest.mark.timeout(240)


def analyzed(
    server: PrivateServer, recording: Path, folder: Path, workers: int, **settings: object
) -> dict[str, bytes]:
    """Every file of an analysis by its name, with real workers in processes of their own."""
    with processes() as start:
        for _ in range(workers):
            start(server.url, "inference_service", **settings)
        console = Console(file=io.StringIO())
        analyze(str(recording), Outputs.all_in(folder), 1, UpSettings(redis_url=server.url), console, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.long
def test_two_analyses_of_a_recording_write_the_same_bytes_whatever_the_workers_and_their_batches(
    server: PrivateServer, tmp_path: Path
):
    recording = tmp_path / "=my clip.mp4"
    recording.write_bytes(DEMO_CLIP.read_bytes())
    first = analyzed(server, recording, tmp_path / "first", workers=1)
    second = analyzed(server, recording, tmp_path / "second", workers=3, batch=4, linger="0ms")

    assert set(first) == {name.replace("_", ".") for name in Outputs.names()}
    assert [name for name in first if first[name] != second[name]] == []

    manifest = json.loads(first["manifest.json"])
    assert manifest["emotii"] == version("emotii")
    assert manifest["recording"] == {"name": "=my clip.mp4", "sha256": sha256(recording)}
    assert len(manifest["models"]) == len(manifest["engines"]) == 1
    assert manifest["engines"][0].startswith("openvino ")
    assert manifest["detector"] == {"name": "blazeface", "min_score": 0.5, "max_faces": 50}

    lines = [json.loads(line) for line in first["readings.jsonl"].decode().splitlines()]
    assert {(line["source"], line["epoch"]) for line in lines} == {("=my clip.mp4", sha256(recording)[:12])}
    assert b"job-" not in first["episodes.jsonl"] + first["episodes.csv"] + first["timeline.json"]
    assert sha256(recording).encode() in first["report.html"]


@pytest.mark.long
def test_each_file_alone_has_its_manifest_and_a_folder_is_identified_by_its_pictures(
    server: PrivateServer, tmp_path: Path
):
    video = cv2.VideoCapture(str(DEMO_CLIP))
    (tmp_path / "photos").mkdir()
    for name in ("b.png", "a.png"):
        cv2.imwrite(str(tmp_path / "photos" / name), video.read()[1])
    digests = []
    for _ in range(2):
        with processes() as start:
            start(server.url, "inference_service")
            outputs = Outputs(readings_csv=tmp_path / "faces.csv", readings_jsonl=tmp_path / "faces.jsonl")
            console = Console(file=io.StringIO())
            analyze(str(tmp_path / "photos"), outputs, 1, UpSettings(redis_url=server.url), console)
        manifests = [tmp_path / "faces.csv.manifest.json", tmp_path / "faces.jsonl.manifest.json"]
        about = [json.loads(path.read_text()) for path in manifests]
        assert about[0] == about[1]
        assert (about[0]["recording"]["name"], about[0]["recording"]["pictures"]) == ("photos", 2)
        digests.append(about[0]["recording"]["sha256"])
        cv2.imwrite(str(tmp_path / "photos" / "a.png"), video.read()[1])
    assert digests[0] != digests[1]
