"""Unique bytes, written to every place where data of people is stored, and the search for them."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import httpx
import redis

from api_gateway.faces.filename import FaceName
from api_gateway.faces.source_tag import tagged
from api_gateway.faces.store import FaceStore
from contract import keys
from contract.messages import Crop, FrameDone, FrameId, InboxPicture
from contract.model.normalisation import CROP_BYTES
from tests.inference import GROUP, announce, face
from tests.stage import GatewayProcess, reading, until


class Canary:
    """Random bytes in pixels and files, and a random word in text fields."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.bytes = secrets.token_bytes(16)
        self.word = secrets.token_hex(14)

    def put_into_redis(self, client: redis.Redis) -> None:
        """A waiting crop, a crop that is pending at a worker, and an uploaded picture."""
        announce(client, self.source, kind="camera")
        for frame in range(2):
            pixels = (self.bytes * CROP_BYTES)[:CROP_BYTES]
            crop = Crop(FrameId(self.source, self.word, frame), face(), _now_ms(client), 0, pixels)
            client.xadd(keys.crops(self.source), crop.fields())
        client.xgroup_create(keys.crops(self.source), GROUP, id="0")
        assert client.xreadgroup(GROUP, "frozen", {keys.crops(self.source): ">"}, count=1)
        picture = InboxPicture(self.word, 0, 1, 1, b"a picture" + self.bytes)
        client.xadd(keys.inbox(self.source), picture.fields())

    def put_into_results(self, client: redis.Redis, frame: int) -> None:
        """A reading, which a gateway writes to its history and its smoothed results."""
        announce(client, self.source, kind="camera")
        now = _now_ms(client)
        client.xadd(keys.results(self.source), reading(self.source, frame, epoch=self.word, captured_ms=now).fields())
        done = FrameDone(
            FrameId(self.source, self.word, frame), now, 1, 640, 480, previous=frame - 1 if frame else None
        )
        client.xadd(keys.results(self.source), done.fields())

    def put_into_history(self, gateway: GatewayProcess, client: redis.Redis) -> None:
        """Readings and an episode in the database, until the API returns them."""
        frames = iter(range(1000))

        def recorded() -> bool:
            self.put_into_results(client, next(frames))
            both = (gateway.get(f"/api/v1/{kind}?source={self.source}").json() for kind in ("readings", "episodes"))
            return all(one.get("items") for one in both)

        until(recorded, 60, "the canary in the history")

    def put_on_disk(self, gateway: GatewayProcess) -> None:
        """A saved face."""
        jpeg = tagged(b"\xff\xd8\xff\xd9" + self.bytes, self.source)
        FaceStore(gateway.folder).save(jpeg, FaceName("happy", 97.5, datetime.now(UTC)))

    def submit_recording(self, gateway: GatewayProcess) -> str:
        """Upload a recording; returns the id of its job."""
        files = {"video": (f"{self.word}.mp4", b"no video" + self.bytes)}
        answer = httpx.post(f"{gateway.url}/api/v1/jobs", files=files, timeout=20)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def places(self, folder: Path, client: redis.Redis) -> set[str]:
        """Every file below a folder, and every key of Redis, in which the canary is."""
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and self._is_in(path)}
        return found | {key.decode() for key in client.keys("*") if self._is_in_bytes(client.dump(key) or b"")}

    def _is_in(self, path: Path) -> bool:
        try:
            return self._is_in_bytes(path.read_bytes())
        except FileNotFoundError:  # removed during the search
            return False

    def _is_in_bytes(self, content: bytes) -> bool:
        return self.bytes in content or self.word.encode() in content


def _now_ms(client: redis.Redis) -> int:
    seconds, microseconds = client.time()
    return seconds * 1000 + microseconds // 1000
