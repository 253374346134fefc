import errno
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from api_gateway.faces import store as face_store
from api_gateway.faces.errors import FaceNotFound, StoreFull, StoreUnwritable
from api_gateway.faces.filename import FaceName, FaceNameError
from api_gateway.faces.retention import FaceRetention
from api_gateway.faces.source_tag import HEAD_BYTES, origin, tagged
from api_gateway.faces.store import FaceStore

AT = datetime(2026, 1, 31, 23, 59, 59, 1, tzinfo=UTC)
NAME = FaceName("happy", 97.3, AT)


def retention(folder: Path, kept: timedelta = timedelta(0), limit: int = 0) -> FaceRetention:
    return FaceRetention(folder, kept, limit)


def test_a_file_name_contains_emotion_confidence_and_time():
    assert str(NAME) == "happy_97.3_20260131_235959_000001.jpg"
    assert FaceName.parse(str(NAME)) == NAME


def test_an_emotion_may_have_underscores():
    name = FaceName("very_happy", 100.0, AT)
    assert FaceName.parse(str(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "happy.jpg",
        "../happy_97.3_20260131_235959_000001.jpg",
        "happy_97.3_20260131_235959_000001.jpg/..",
        "happy_97.3_20260131_235959_000001.jpg\n",
        "happy_97.3_20260131_235959_000001.jpg\0",
        "happy_97.3_20261331_235959_000001.jpg",
        "happy_97.3_20260131_255959_000001.jpg",
        "happy_97_20260131_235959_000001.jpg",
        "happy_097.3_20260131_235959_000001.jpg",
        "Happy_97.3_20260131_235959_000001.jpg",
        "happy_97.3_20260131_235959_000001.JPG",
        "happy_٩٧.3_20260131_235959_000001.jpg",
        ".happy_97.3_20260131_235959_000001.jpg.part",
        "x" * 300,
    ],
)
def test_only_names_of_exactly_this_form_are_accepted(name: str):
    with pytest.raises(FaceNameError):
        FaceName.parse(name)


@pytest.mark.parametrize("emotion", ["..", ".", "", "a/b", "/etc", "Ärger", "a" * 33, "x\0"])
def test_an_emotion_that_is_no_folder_name_is_refused(tmp_path: Path, emotion: str):
    with pytest.raises(FaceNameError):
        FaceStore(tmp_path / "faces").save(b"jpeg", FaceName(emotion, 50.0, AT))
    assert list(tmp_path.rglob("*.jpg")) == []


def test_a_saved_face_is_found_read_and_deleted(tmp_path: Path):
    store = FaceStore(tmp_path / "faces")
    name = store.save(b"jpeg", NAME)
    assert (tmp_path / "faces" / "happy" / str(NAME)).read_bytes() == b"jpeg"
    assert store.newest()[0] == store.newest("happy")[0] == [name]
    assert store.newest("sad")[0] == []
    assert store.read(name) == b"jpeg"
    store.delete(name)
    assert store.newest()[0] == []
    for gone in (store.read, store.delete):
        with pytest.raises(FaceNotFound):
            gone(name)


def test_a_missing_folder_is_an_empty_store(tmp_path: Path):
    store = FaceStore(tmp_path / "none")
    assert store.newest()[0] == []
    assert store.erase() == 0
    assert retention(tmp_path / "none").sweep() == retention(tmp_path / "none").enforce() == 0


def test_two_faces_of_one_microsecond_get_two_names(tmp_path: Path):
    store = FaceStore(tmp_path)
    first, second = store.save(b"one", NAME), store.save(b"two", NAME)
    assert second.saved - first.saved == timedelta(microseconds=1)
    assert (store.read(first), store.read(second)) == (b"one", b"two")


def test_many_writers_of_one_microsecond_lose_no_face(tmp_path: Path):
    stores = [FaceStore(tmp_path) for _ in range(8)]
    writers = [
        threading.Thread(target=lambda s=s, i=i: [s.save(b"%d-%d" % (i, n), NAME) for n in range(10)])
        for i, s in enumerate(stores)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = stores[0].newest()[0]
    assert len(names) == 80
    assert len({stores[0].read(name) for name in names}) == 80


def test_the_newest_comes_first_over_all_emotions(tmp_path: Path):
    store = FaceStore(tmp_path)
    names = [
        store.save(b"x", FaceName(emotion, 50.0, AT + timedelta(seconds=second)))
        for second, emotion in enumerate(("sad", "angry", "happy", "angry"))
    ]
    assert store.newest()[0] == names[::-1]
    assert store.newest("angry")[0] == [names[3], names[1]]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(face_store.os, "fsync", full)
    with pytest.raises(StoreFull, match="the disk of EMOTII_SAVED_FACES is full"):
        FaceStore(tmp_path).save(b"jpeg", NAME)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_created_is_reported_as_such_and_not_as_a_full_disk(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable, match="EMOTII_SAVED_FACES cannot be written"):
        FaceStore(tmp_path / "file" / "faces").save(b"jpeg", NAME)


def test_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / str(NAME)).write_bytes(b"secret")
    store = FaceStore(tmp_path / "faces")
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "happy").symlink_to(outside)
    with pytest.raises(FaceNotFound):
        store.read(NAME)
    with pytest.raises(FaceNotFound):
        store.delete(NAME)
    with pytest.raises(StoreUnwritable):
        store.save(b"jpeg", NAME)
    assert store.newest()[0] == []
    assert [path.name for path in outside.iterdir()] == [str(NAME)]


def test_a_link_in_place_of_a_face_is_not_a_face(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    folder = tmp_path / "faces" / "happy"
    folder.mkdir(parents=True)
    (folder / str(NAME)).symlink_to(secret)
    store = FaceStore(tmp_path / "faces")
    assert store.newest()[0] == []
    with pytest.raises(FaceNotFound):
        store.read(NAME)


def test_unfinished_files_are_swept_once_they_are_old_and_nothing_else_is(tmp_path: Path):
    store = FaceStore(tmp_path)
    name = store.save(b"whole", NAME)
    old, new, other = (tmp_path / "happy" / part for part in (".old.jpg.part", ".new.jpg.part", "notes.txt"))
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 60,) * 2)
    assert retention(tmp_path).sweep() == 1
    assert not old.exists()
    assert new.exists()
    assert other.exists()
    assert store.read(name) == b"whole"


def test_a_page_of_faces_ends_where_the_next_begins(tmp_path: Path):
    store = FaceStore(tmp_path)
    names = [store.save(b"x", FaceName("sad", 50.0, AT + timedelta(seconds=second))) for second in range(5)][::-1]
    assert store.newest(limit=2) == (names[:2], 5)
    assert store.newest(limit=9, before=names[1]) == (names[2:], 5)
    assert store.newest(limit=2, before=names[-1]) == ([], 5)


def test_other_files_beside_the_faces_are_not_listed(tmp_path: Path):
    store = FaceStore(tmp_path)
    name = store.save(b"x", NAME)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "happy" / "notes.txt").write_text("")
    (tmp_path / "happy" / "sad_50.0_20260131_235959_000001.jpg").write_text("")
    (tmp_path / "happy" / "happy_sad_50.0_20260131_235959_000001.jpg").write_text("")
    assert store.newest() == ([name], 1)
    (tmp_path / "happy" / "happy_50.0_20261331_235959_000001.jpg").write_text("")
    assert store.newest()[0] == [name]


def test_the_name_of_a_labelled_face_contains_the_emotion_of_the_model():
    labelled = NAME.labelled("sad")
    assert str(labelled) == "sad_97.3_20260131_235959_000001_was_happy.jpg"
    assert FaceName.parse(str(labelled)) == labelled
    assert labelled.labelled("happy").was == "happy"
    assert str(NAME.labelled("happy")) == "happy_97.3_20260131_235959_000001_was_happy.jpg"


def test_a_labelled_face_is_stored_only_under_its_new_emotion(tmp_path: Path):
    store = FaceStore(tmp_path)
    old = store.save(b"jpeg", NAME)
    new = store.label(old, "sad")
    assert store.newest() == ([new], 1)
    assert store.newest("happy") == ([], 0)
    assert store.read(new) == b"jpeg"
    assert store.emotions() == ["sad"]
    assert store.label(new, "sad") == new
    with pytest.raises(FaceNotFound):
        store.label(old, "angry")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [str(new)]


def test_labelling_a_face_does_not_overwrite_another_face(tmp_path: Path):
    store = FaceStore(tmp_path)
    one = store.label(store.save(b"one", NAME), "sad")
    two = store.label(store.save(b"two", NAME), "sad")
    assert one != two
    assert (store.read(one), store.read(two)) == (b"one", b"two")


def test_of_many_simultaneous_labels_of_a_face_one_wins_and_no_face_is_lost(tmp_path: Path):
    store = FaceStore(tmp_path)
    names = [store.save(b"%d" % number, NAME) for number in range(20)]
    won: list[FaceName] = []

    def label(emotion: str) -> None:
        for name in names:
            with suppress(FaceNotFound):
                won.append(FaceStore(tmp_path).label(name, emotion))

    people = [threading.Thread(target=label, args=(emotion,)) for emotion in ("sad", "angry", "fear", "sad")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    found, total = store.newest()
    assert total == 20
    assert sorted(map(str, found)) == sorted(map(str, won))
    assert {store.read(name) for name in found} == {b"%d" % number for number in range(20)}
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("emotion", ["..", "a/b", "", "Sad"])
def test_a_label_that_is_no_folder_name_moves_nothing(tmp_path: Path, emotion: str):
    store = FaceStore(tmp_path / "faces")
    name = store.save(b"jpeg", NAME)
    with pytest.raises(FaceNameError):
        store.label(name, emotion)
    assert store.newest()[0] == [name]


LABELLER = """
import sys
from pathlib import Path
from api_gateway.faces.store import FaceStore
store = FaceStore(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    for emotion in ("sad", "angry", "fear", "happy"):
        store.label(store.newest()[0][0], emotion)
"""


def test_a_face_whose_labelling_process_is_killed_is_complete_under_one_name(tmp_path: Path):
    store = FaceStore(tmp_path)
    store.save(b"jpeg" * 1000, NAME)
    for turn in range(10):
        labeller = subprocess.Popen([sys.executable, "-c", LABELLER, str(tmp_path)], stdout=subprocess.PIPE)
        assert labeller.stdout.readline() == b"ready\n"
        time.sleep(0.002 + 0.003 * turn)
        labeller.kill()
        labeller.communicate()
        ((found,), total) = store.newest()
        assert total == 1
        assert store.read(found) == b"jpeg" * 1000
        assert found.was in {None, "happy"}


def test_a_link_in_place_of_an_emotions_folder_takes_no_labelled_face(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    store = FaceStore(tmp_path / "faces")
    name = store.save(b"jpeg", NAME)
    (tmp_path / "faces" / "sad").symlink_to(outside)
    with pytest.raises(StoreUnwritable):
        store.label(name, "sad")
    assert list(outside.iterdir()) == []
    assert store.read(name) == b"jpeg"


def test_other_files_beside_the_faces_are_not_touched_and_do_not_interfere(tmp_path: Path):
    store = FaceStore(tmp_path)
    store.save(b"x", NAME)
    (tmp_path / "README.txt").write_text("mine")
    (tmp_path / ".part").write_text("mine")
    (tmp_path / "My Faces").mkdir()
    (tmp_path / "sad").symlink_to(tmp_path / "happy")
    (tmp_path / "happy" / "mine.jpg").write_bytes(b"mine")
    assert retention(tmp_path, timedelta(days=1), 1).sweep() == 0
    assert retention(tmp_path, timedelta(days=1)).enforce() == 1
    assert store.erase() == 0
    assert (tmp_path / "README.txt").read_text() == (tmp_path / ".part").read_text() == "mine"
    assert (tmp_path / "happy" / "mine.jpg").read_bytes() == b"mine"
    assert (tmp_path / "sad").is_symlink()


@pytest.mark.parametrize("kind", ["link", "hanging link", "pipe", "folder"])
def test_an_entry_with_the_name_of_a_face_that_is_not_a_file_is_not_a_face(tmp_path: Path, kind: str):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    place = tmp_path / "faces" / "happy" / str(NAME)
    place.parent.mkdir(parents=True)
    match kind:
        case "link":
            place.symlink_to(secret)
        case "hanging link":
            place.symlink_to(tmp_path / "nothing")
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
    store = FaceStore(tmp_path / "faces")
    for refused in (store.read, store.delete, lambda name: store.label(name, "sad")):
        with pytest.raises(FaceNotFound):
            refused(NAME)
    assert store.newest() == ([], 0)
    assert store.erase() == retention(tmp_path / "faces", timedelta(days=1), 1).enforce() == 0
    assert os.path.lexists(place)
    assert secret.read_bytes() == b"secret"


def a_face_a_day(folder: Path, content: bytes = b"12345678") -> list[FaceName]:
    now = datetime.now(UTC)
    emotions = ("happy", "sad", "very_happy")
    return [
        FaceStore(folder).save(content, FaceName(emotions[day % 3], 50.0, now - timedelta(days=day)))
        for day in range(9)
    ]


def test_faces_are_removed_when_they_are_too_old_also_those_that_a_person_labelled(tmp_path: Path):
    names = a_face_a_day(tmp_path)
    FaceStore(tmp_path).label(names[8], "angry")
    assert retention(tmp_path, timedelta(days=4, hours=12)).enforce() == 4
    assert FaceStore(tmp_path).newest() == (names[:5], 5)
    assert retention(tmp_path, timedelta(days=4, hours=12)).enforce() == 0


def test_nothing_is_removed_without_limits_on_saved_faces(tmp_path: Path):
    a_face_a_day(tmp_path)
    assert retention(tmp_path).enforce() == 0


@pytest.mark.parametrize(("limit", "left"), [(1, 0), (8, 1), (39, 4), (40, 5), (72, 9)])
def test_above_the_limit_only_as_many_of_the_oldest_faces_as_needed_are_removed(tmp_path: Path, limit: int, left: int):
    names = a_face_a_day(tmp_path)
    assert retention(tmp_path, limit=limit).enforce() == 9 - left
    assert FaceStore(tmp_path).newest() == (names[:left], left)


def test_with_many_gateways_cleaning_up_at_once_each_old_face_is_removed_once_and_the_newest_stay(tmp_path: Path):
    names = a_face_a_day(tmp_path)
    removed: list[int] = []
    cleaners = [
        threading.Thread(target=lambda: removed.append(retention(tmp_path, timedelta(days=7), 40).enforce()))
        for _ in range(4)
    ]
    for cleaner in cleaners:
        cleaner.start()
    for cleaner in cleaners:
        cleaner.join()
    assert sum(removed) == 4
    assert FaceStore(tmp_path).newest() == (names[:5], 5)


def test_faces_are_erased_by_time(tmp_path: Path):
    names = a_face_a_day(tmp_path)
    store = FaceStore(tmp_path)
    assert store.erase(since=names[5].saved, until=names[2].saved) == 3
    assert store.newest() == (names[:3] + names[6:], 6)
    assert store.erase(until=names[7].saved) == 1
    assert store.erase(since=names[1].saved) == 2
    assert store.newest()[0] == [names[2], *names[6:8]]
    assert store.erase() == 3
    assert store.newest() == ([], 0)


def test_faces_are_erased_by_source_also_after_they_were_labelled(tmp_path: Path):
    store = FaceStore(tmp_path)
    front, door, another = (
        store.save(tagged(JPEG, source), FaceName("happy", 50.0, AT + timedelta(seconds=number)))
        for number, source in enumerate(("front", "door", "front"))
    )
    unknown = store.save(JPEG, NAME)
    store.label(another, "sad")
    assert store.erase(source="fron") == 0
    assert store.erase(source="front") == 2
    assert {*store.newest()[0]} == {door, unknown}
    assert store.erase() == 2
    assert front != another


JPEG = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (40, 30, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize("source", ["front", "a", "x" * 32])
def test_a_tagged_face_names_its_source_and_has_the_same_pixels(source: str):
    face = tagged(JPEG, source)
    assert origin(face[:HEAD_BYTES]) == source
    assert face[6:10] == b"JFIF"
    pictures = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (JPEG, face)]
    assert np.array_equal(*pictures)


@pytest.mark.parametrize(
    "head", [b"", b"\xff", JPEG[:3], JPEG, b"\xff\xd8\xff\xfe", b"\xff\xd8\xff\xfe\x00\x08other!", b"no JPEG" * 20]
)
def test_a_picture_without_a_tag_has_no_source(head: bytes):
    assert origin(head) is None
