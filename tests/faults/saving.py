"""A process that saves faces and erases them again, as fast as it can, until it is killed."""

import random
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from api_gateway.faces.filename import FaceName
from api_gateway.faces.source_tag import tagged
from api_gateway.faces.store import FaceStore

EMOTIONS = ("angry", "happy", "sad")
FACES = 6
JPEG = tagged(b"\xff\xd8" + random.Random(0).randbytes(20_000) + b"\xff\xd9", "front")
"""As long as a face; only its completeness is checked."""


def save_and_erase(folder: Path, begun: Event) -> None:
    store = FaceStore(folder)
    while True:
        for number in range(FACES):
            name = FaceName(EMOTIONS[number % len(EMOTIONS)], 97.5, datetime.now(UTC))
            saved = store.save(JPEG, name)
            begun.set()
            if number % 3 == 0:
                store.label(saved, "surprise")
        store.erase(until=datetime.now(UTC))
