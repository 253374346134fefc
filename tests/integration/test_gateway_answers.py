"""Responses of a real gateway to programs."""

from pathlib import Path

import cv2
import httpx
import numpy as np

from contract import keys
from contract.messages import Dead, InboxPicture
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import LABELS, SAD, GatewayProcess, Producer, clip_frames, gateway_process, reading, until


def test_the_responses_of_the_old_interface_are_unchanged(gateway: GatewayProcess, producer: Producer):
    answer = until(lambda: gateway.get("/emotion").json()["emotion"] and gateway.get("/emotion").json())
    assert answer == {"emotion": "happy", "confidence": 95.0}
    saved = gateway.get("/save_current").json()
    assert saved["status"] == "success"
    (path,) = saved["saved"]
    assert cv2.imread(str(gateway.folder / path)).shape[2] == 3
    producer.faces.shown = {}
    until(lambda: gateway.get("/emotion").json() == {"emotion": None, "confidence": 0.0}, 8)
    assert gateway.get("/save_current").status_code == 404
    producer.faces.shown = {9: ((50.0, 50.0, 80.0, 80.0), SAD)}
    until(lambda: gateway.get("/emotion?source=front").json()["emotion"] == "sad")


def test_the_prediction_result_of_a_picture_contains_every_face(gateway: GatewayProcess):
    jpeg = cv2.imencode(".jpg", clip_frames(1)[0])[1].tobytes()
    url = f"{gateway.url}/api/v1/predict"
    by_form = httpx.post(url, files={"picture": ("a.jpg", jpeg, "image/jpeg")}, timeout=20)
    by_body = httpx.post(url, content=jpeg, headers={"content-type": "image/jpeg"}, timeout=20)
    for answer in (by_form, by_body):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert [face["emotion"] for face in body["faces"]] == ["happy", "happy"]
        assert set(body["faces"][0]["probabilities"]) == set(LABELS)
        assert (body["width"], body["height"], body["model"]) == (640, 480, "test@1.0.0")
    black = cv2.imencode(".png", np.zeros((50, 60, 3), np.uint8))[1].tobytes()
    none = httpx.post(url, files={"picture": black}, timeout=20).json()
    assert (none["faces"], none["width"], none["height"], none["model"]) == ([], 60, 50, None)
    broken = httpx.post(url, files={"picture": b"no picture"}, timeout=20)
    assert broken.status_code == 422
    assert broken.json()["error"] == {"code": "unreadable_picture", "message": "no picture that can be read"}


def test_a_picture_with_a_face_that_the_model_fails_on_gets_its_result_at_once(
    gateway: GatewayProcess, producer: Producer, clients: Clients
):
    def dead_letter(upload: InboxPicture, now: int) -> None:
        face = reading(keys.UPLOADS, upload.frame, epoch=upload.epoch, captured_ms=now)
        dead = Dead("1-0", "the engine failed on it", face.fields())
        clients.commands.xadd(keys.dead(keys.UPLOADS), dict(dead.fields()))

    producer.answer = dead_letter
    answer = httpx.post(f"{gateway.url}/api/v1/predict", files={"picture": b"x"}, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unclassifiable_face")
    assert "the engine failed on it" in answer.json()["error"]["message"]


def test_a_picture_that_no_capture_process_reads_times_out(server: PrivateServer, clients: Clients, tmp_path: Path):
    with (
        Producer(server.url, answers_uploads=False),
        gateway_process(server.url, tmp_path / "faces", predict_timeout="0.5") as gateway,
    ):
        until(gateway.ready, 30)
        url = f"{gateway.url}/api/v1/predict"
        missing = httpx.post(url, files={"picture": b"x"}, timeout=20)
        assert (missing.status_code, missing.json()["error"]["code"]) == (503, "no_capture")
        with Producer(server.url, "other") as answering:
            until(lambda: gateway.get("/api/v1/sources/uploads").status_code == 200)
            answering._answer_uploads = lambda _now: None  # alive, and too slow
            late = httpx.post(url, files={"picture": b"x"}, timeout=20)
            assert (late.status_code, late.json()["error"]["code"]) == (504, "timeout")
