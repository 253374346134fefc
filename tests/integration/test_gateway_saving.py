"""Faces saved by real gateways."""

from pathlib import Path

import cv2
import httpx
import numpy as np
from websockets.sync.client import connect as connect_socket

from emotii.local.redis_server import PrivateServer
from tests.stage import SAD, UNSURE, GatewayProcess, Producer, gateway_process, until
from tests.viewer import events_of


def test_faces_of_each_track_are_saved_once_a_second_in_colour(gateway: GatewayProcess):
    until(lambda: len(gateway.saved()) >= 6, 20, "six faces")
    emotions = {path.parent.name for path in gateway.saved()}
    assert emotions == {"happy", "sad"}
    times = [path.name.split("_", 2)[2] for path in gateway.saved() if path.parent.name == "happy"]
    assert len(times) <= 6
    for path in gateway.saved():
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape[0] == picture.shape[1] == (210 if path.parent.name == "happy" else 105)
        assert np.abs(picture[:, :, 0].astype(int) - picture[:, :, 2]).mean() > 3, "in colour"
    listed = gateway.get("/api/v1/faces?emotion=happy").json()
    assert listed["faces"][0]["confidence"] == 95.0
    assert gateway.get(listed["faces"][0]["url"]).headers["content-type"] == "image/jpeg"


def test_an_uncertain_face_is_published_as_uncertain_and_saved_only_on_request(server: PrivateServer, tmp_path: Path):
    producer = Producer(server.url)
    producer.faces.shown = {1: ((220.0, 100.0, 120.0, 140.0), UNSURE), 2: ((60.0, 120.0, 60.0, 70.0), SAD)}
    with producer, gateway_process(server.url, tmp_path / "faces") as gateway:
        until(lambda: len(gateway.saved()) >= 3, 30, "three faces")
        assert {path.parent.name for path in gateway.saved()} == {"sad"}
        assert gateway.get("/emotion").json() == {"emotion": "uncertain", "confidence": 45.0}
        with connect_socket(gateway.socket_url) as client:
            event = next(event for event in events_of(client, "reading") if event["track"] == 1)
            assert (event["emotion"], event["between"]) == ("uncertain", ["fear", "surprise"])
        (saved,) = httpx.post(f"{gateway.url}/save_current", timeout=20).json()["saved"]
        assert saved.startswith("uncertain/uncertain_45.0_")


def test_only_one_of_two_gateways_saves_and_the_other_takes_over(
    server: PrivateServer, producer: Producer, tmp_path: Path
):
    with (
        gateway_process(server.url, tmp_path / "one") as one,
        gateway_process(server.url, tmp_path / "two") as two,
    ):
        until(lambda: one.ready() and two.ready(), 30)
        until(lambda: len(one.saved()) + len(two.saved()) >= 6, 30)
        saving, other = (one, two) if one.saved() else (two, one)
        assert other.saved() == []
        saving.process.kill()
        until(other.saved, 30, "the other gateway's first face")


def test_saving_where_nothing_can_be_written_returns_507_and_the_rest_continues(server: PrivateServer, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with (
        Producer(server.url),
        gateway_process(server.url, tmp_path / "faces", saved_faces=str(tmp_path / "file" / "faces")) as gateway,
    ):
        until(gateway.ready, 30)
        until(lambda: gateway.get("/emotion").json()["emotion"])
        answer = httpx.post(f"{gateway.url}/save_current", timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_unwritable")
        with connect_socket(gateway.socket_url) as client:
            until(lambda: next(events_of(client, "stats"))["saving"]["paused"], 20, "the pause of saving")
            assert next(events_of(client, "reading"))["emotion"]
        assert gateway.log.read_text().count("automatic saving paused") == 1
