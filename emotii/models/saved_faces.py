"""Saved faces as a dataset: class folders that `emotii train` reads."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from api_gateway.faces.filename import FaceName
from api_gateway.faces.store import FaceStore, NoSuchFace
from capture_service.detectors import Detector
from contract.errors import SettingsError
from contract.judgement import UNCERTAIN
from contract.model.framing import show_face

PIXELS = 96
"""Of a side of an exported face: twice what a network sees."""
MOST = 10_000_000


@dataclass
class Exported:
    """What came of an export."""

    faces: Counter[str] = field(default_factory=Counter)
    """By emotion."""
    unreadable: list[str] = field(default_factory=list)
    """Files that hold no picture."""
    as_saved: int = 0
    """Exported faces in which the detector found none, so that they stand as they were saved."""
    left_out: int = 0
    """Faces that nobody has labelled, and that are uncertain or not asked for."""


def export(
    faces: Path, out: Path, detector: Detector, *, relabelled_only: bool = False, console: Console | None = None
) -> Exported:
    """Write the saved faces of `faces` as class folders below `out`, framed as the network sees faces.

    A folder that is half written has another name, `<out>.partial`.

    Args:
        faces: the folder of saved faces.
        out: what is made; it must not be there yet, or be empty.
        detector: finds the face in the saved picture, which shows more than the network is given.
        relabelled_only: leave out what no person has labelled.
        console: where progress is shown; nowhere if None.

    Raises:
        SettingsError: there are no faces, or `out` cannot be written.
    """
    if not faces.is_dir():
        raise SettingsError(f"--faces {faces}: there is no such folder")
    store = FaceStore(faces)
    names, _ = store.newest(limit=MOST)
    wanted = [name for name in names if name.was or not (relabelled_only or name.emotion == UNCERTAIN)]
    if not wanted:
        kind = "labelled by a person" if relabelled_only else "of a known emotion"
        raise SettingsError(f"--faces {faces}: of {len(names)} saved faces none is {kind}")
    exported = Exported(left_out=len(names) - len(wanted))
    partial = out.with_name(out.name + ".partial")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise SettingsError(f"--out {out}: it exists; name a folder that is not there yet")
        if partial.is_dir():
            shutil.rmtree(partial)  # of an export that was interrupted
        for name in track(wanted, "Exporting faces", console=console, disable=console is None):
            _export_one(store, name, partial, detector, exported)
        if not exported.faces:
            raise SettingsError(f"--faces {faces}: none of {len(wanted)} files is a readable picture")
        partial.rename(out)
    except OSError as error:
        raise SettingsError(f"--out {out}: {error.strerror}") from error
    return exported


def _export_one(store: FaceStore, name: FaceName, out: Path, detector: Detector, exported: Exported) -> None:
    try:
        encoded = np.frombuffer(store.read(name), np.uint8)
    except NoSuchFace:
        return  # deleted since it was listed
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if picture is None:
        exported.unreadable.append(f"{name.emotion}/{name}")
        return
    framed = _framed(picture.astype(np.uint8, copy=False), detector)
    exported.as_saved += framed is None
    folder = out / name.emotion
    folder.mkdir(parents=True, exist_ok=True)
    content = cv2.imencode(".png", picture if framed is None else framed)[1].tobytes()
    (folder / f"{Path(str(name)).stem}.png").write_bytes(content)
    exported.faces[name.emotion] += 1


def _framed(picture: NDArray[np.uint8], detector: Detector) -> NDArray[np.uint8] | None:
    """The face as serving frames it: networks are given in training what they are given later."""
    found = detector.detect(picture)
    if not found:
        return None
    face = max(found, key=lambda one: one.box[2] * one.box[3])
    return show_face(picture, face.box, face.landmarks, PIXELS)
