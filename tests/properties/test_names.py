"""Names of faces, addresses of sources and settings: any text is taken as meant, or refused in words."""

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api_gateway.faces.errors import FaceNotFound
from api_gateway.faces.filename import FaceName, FaceNameError
from api_gateway.faces.retention import FaceRetention
from api_gateway.faces.source_tag import HEAD_BYTES, origin, tagged
from api_gateway.faces.store import FaceStore
from api_gateway.settings import GatewaySettings
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import parse_list
from contract import keys
from contract.address import added_kind, address_kind, safe_url
from contract.errors import SettingsError, SourceError
from contract.service.logs import scrub
from contract.service.settings import load
from contract.stream_url import StreamUrl, UnusableUrl
from inference_service.settings import InferenceSettings

EMOTIONS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NAMES = st.builds(
    FaceName, EMOTIONS, st.integers(0, 1000).map(lambda tenths: tenths / 10), MOMENTS, st.none() | EMOTIONS
)
CHARACTERS = st.text(st.sampled_from("ab01_-./\\%:@?#[]{}~ \0\n\tÄ\uff19" + string.ascii_uppercase), max_size=60)


@given(name=NAMES)
def test_the_file_name_of_a_face_is_read_back_unchanged_or_refused(name):
    try:
        assert str(FaceName.parse(str(name))) == str(name)
    except FaceNameError:
        pytest.fail(f"{name} cannot be read")


@given(text=CHARACTERS | st.text() | NAMES.map(str).flatmap(lambda name: st.sampled_from([name + "x", "../" + name])))
def test_every_accepted_name_of_a_face_is_a_plain_file_name(text):
    try:
        name = FaceName.parse(text)
    except FaceNameError:
        return
    else:
        assert str(name) == text
        assert Path(text).name == text
        assert len(text) < 140
        assert text.isascii()


@given(emotion=CHARACTERS | st.text())
def test_no_text_in_place_of_an_emotion_reaches_outside_the_store(emotion):
    with TemporaryDirectory() as folder:
        inside = Path(folder) / "a" / "faces"
        inside.mkdir(parents=True)
        store, name = FaceStore(inside), FaceName(emotion, 50.0, datetime(2026, 1, 1, tzinfo=UTC))
        try:
            store.save(b"x", name)
        except FaceNameError:
            with pytest.raises(FaceNotFound):
                store.read(name)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert all(path.parent.parent == inside for path in files)


@given(names=st.lists(NAMES, max_size=6), cut=MOMENTS)
def test_faces_erased_by_time_and_remaining_faces_add_up_to_all(names, cut):
    with TemporaryDirectory() as folder:
        store = FaceStore(Path(folder))
        saved = [store.save(b"x", name) for name in names]
        assert store.erase(until=cut) == sum(name.saved < cut for name in saved)
        assert store.erase(since=cut) == sum(name.saved >= cut for name in saved)
        assert store.newest() == ([], 0)


@given(source=st.from_regex(keys.SOURCE_NAME, fullmatch=True), jpeg=st.binary(max_size=60))
def test_the_tag_of_any_picture_names_its_source(source, jpeg):
    picture = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(9) + jpeg
    assert origin(tagged(picture, source)[:HEAD_BYTES]) == source


@given(head=st.binary(max_size=HEAD_BYTES))
def test_any_bytes_give_a_source_or_none(head):
    assert origin(head) is None or isinstance(origin(head), str)


@given(name=CHARACTERS, address=CHARACTERS | st.text())
def test_any_address_has_a_kind_or_is_refused_with_a_reason(name, address):
    for kind in (address_kind, added_kind):
        for called in (name, "front"):
            try:
                kind(called, address)
            except SourceError:
                continue
            else:
                assert keys.SOURCE_NAME.fullmatch(called)
                assert not set(address) & set("\0\n\t")


URL_TEXT = st.text("abz019.-_:;|[]@%/?#\\\r\n\t ä。①", max_size=30)


@given(scheme=st.sampled_from(["rtsp", "RTSPS", "http", "https"]), text=URL_TEXT)
@example(scheme="http", text="a|max_redirects;8|x;[::1]:80/r")
@example(scheme="http", text="us%0aer:p@host/")
def test_a_url_that_is_accepted_means_one_host_to_every_program(scheme, text):
    try:
        url = StreamUrl.parse(f"{scheme}://{text}")
    except UnusableUrl:
        return
    built = url.at(url.host)
    parts = urlsplit(built)
    assert (parts.scheme, parts.hostname, parts.port) == (scheme.lower(), url.host, url.port)
    assert StreamUrl.parse(built) == url
    assert not set(built) & set("|;\\\r\n\t ") - set(url.target)
    assert built.isascii()


WORDS = st.text(string.ascii_letters + string.digits + "!$&*+=.,;~-_@:/?#%", min_size=3, max_size=20)
HOSTS = st.sampled_from(["camera.local", "10.0.0.7", "[fd00::7]", "camera.local:8554"])


@given(scheme=st.sampled_from(["rtsp", "rtsps", "http", "https"]), user=WORDS, password=WORDS, host=HOSTS)
def test_no_password_of_an_address_is_ever_shown(scheme, user, password, host):
    secret = f"secret{password}terces"
    address = f"{scheme}://{user}:{secret}@{host}/live"
    shown = [safe_url(address), scrub(f"cannot open {address} now")]
    try:
        shown.append(str(parse_list(f"front={address.replace(',', ';')}")))
    except SourceError as refusal:
        shown.append(str(refusal))
    for text in shown:
        assert "secret" not in text
        assert "terces" not in text


@pytest.mark.parametrize("settings", [GatewaySettings, CaptureSettings, InferenceSettings])
@given(data=st.data())
def test_any_value_of_a_setting_is_accepted_or_refused_in_one_line_that_names_it(settings, data):
    field = data.draw(st.sampled_from(sorted(settings.model_fields)))
    value = data.draw(st.text(max_size=40) | st.floats().map(str) | st.integers().map(str) | CHARACTERS)
    try:
        taken = load(settings, **{field: value})
    except SettingsError as refusal:
        message = str(refusal)
    else:
        assert hasattr(taken, field)
        return
    assert message.startswith("EMOTII_")
    assert len(message.splitlines()) == 1


@given(
    days=st.lists(st.integers(0, 30), max_size=8),
    kept=st.integers(0, 30),
    limit=st.integers(0, 40),
)
def test_limits_on_saved_faces_hold_and_remove_no_more_than_necessary(days, kept, limit):
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder:
        store = FaceStore(Path(folder))
        saved = [store.save(b"12345", FaceName("happy", 1.0, now - timedelta(days=day, hours=1))) for day in days]
        removed = FaceRetention(Path(folder), timedelta(days=kept), limit).enforce()
        left, total = store.newest()
        young = [name for name in saved if not kept or name.saved > now - timedelta(days=kept)]
        most = limit // 5 if limit else len(young)
        assert left == sorted(young, key=lambda name: name.saved, reverse=True)[:most]
        assert removed == len(saved) - total
