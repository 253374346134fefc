"""Saved faces as a dataset: class folders that `emotii train` reads."""

import secrets
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from api_gateway.faces.errors import FaceNotFound
from api_gateway.faces.filename import FaceName
from api_gateway.faces.store import FaceStore
from capture_service.detectors import Detector
from contract.atomic_file import PARTIAL, check_output_folder
from contract.errors import PictureError, SettingsError, reason_of
from contract.judgement import UNCERTAIN
from contract.model.framing import show_face
from emotii.pictures.prediction import largest_first
from rendering import images
from training.datasets.left_out import LeftOut

PIXELS = 96
"""Side of an exported face: twice the network's input."""
MAX_FACES = 10_000_000


@dataclass
class ExportResult:
    """The counts of an export."""

    faces: Counter[str] = field(default_factory=Counter)
    """By emotion."""
    unreadable: list[LeftOut] = field(default_factory=list)
    """Files that are not pictures, or not saved by Emotii."""
    as_saved: int = 0
    """Pictures in which the detector found no face, so that they were exported unchanged."""
    left_out: int = 0
    """Faces without a label by a person that are uncertain or, with `relabelled_only`, any."""


def export(
    faces: Path, out: Path, detector: Detector, *, relabelled_only: bool = False, console: Console | None = None
) -> ExportResult:
    """Write saved faces into class folders below `out`, framed as the input of the network.

    The folder is written under a temporary name beside `out` and renamed when it is complete.

    Args:
        faces: the folder of saved faces.
        out: the folder to create; it must not exist, or must be empty.
        detector: finds the face in the saved picture, which shows more than the network's input.
        relabelled_only: export only faces that a person has labelled.
        console: shows the progress; None shows none.

    Raises:
        SettingsError: there are no faces, or `out` cannot be written or lies in `faces`.
    """
    check_output_folder(out, [faces])
    if not faces.is_dir():
        raise SettingsError(f"--faces {faces}: the folder does not exist")
    store = FaceStore(faces)
    names, _ = store.newest(limit=MAX_FACES)
    wanted = [name for name in names if name.was or not (relabelled_only or name.emotion == UNCERTAIN)]
    if not wanted:
        kind = "labelled by a person" if relabelled_only else "of a known emotion"
        raise SettingsError(f"--faces {faces}: none of {len(names)} saved faces is {kind}")
    exported = ExportResult(left_out=len(names) - len(wanted))
    exported.unreadable += _others(faces, names)
    partial = out.with_name(f"{out.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise SettingsError(f"--out {out}: it exists already; use the name of a new folder")
        for name in track(wanted, "Exporting faces", console=console, disable=console is None):
            _export_one(store, name, partial, detector, exported)
        if not exported.faces:
            raise SettingsError(f"--faces {faces}: none of {len(wanted)} files is a readable picture")
        partial.rename(out)
    except OSError as error:
        raise SettingsError(f"--out {out}: {reason_of(error)}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # it is gone already if it was renamed
    return exported


def _others(faces: Path, names: list[FaceName]) -> list[LeftOut]:
    """Files in the folder that Emotii did not save: they have other names."""
    saved = {faces / name.emotion / str(name) for name in names}
    files = (file for file in sorted(faces.rglob("*")) if not file.is_dir())
    return [
        LeftOut.file(file.relative_to(faces), "not the name of a saved face") for file in files if file not in saved
    ]


def _export_one(store: FaceStore, name: FaceName, out: Path, detector: Detector, exported: ExportResult) -> None:
    file = Path(name.emotion, str(name))
    try:
        picture = images.decode(store.read(name))
    except FaceNotFound:
        return  # deleted since it was listed
    except OSError as error:
        exported.unreadable.append(LeftOut.file(file, reason_of(error)))
        return
    except PictureError:
        exported.unreadable.append(LeftOut.file(file, "not a readable picture"))
        return
    framed = _framed(picture, detector)
    exported.as_saved += framed is None
    folder = out / name.emotion
    folder.mkdir(parents=True, exist_ok=True)
    content = cv2.imencode(".png", picture if framed is None else framed)[1].tobytes()
    (folder / f"{Path(str(name)).stem}.png").write_bytes(content)
    exported.faces[name.emotion] += 1


def _framed(picture: NDArray[np.uint8], detector: Detector) -> NDArray[np.uint8] | None:
    """The face framed as for inference, so that training and inference use the same framing; None if none is found."""
    found = largest_first(detector.detect(picture))
    if not found:
        return None
    face = found[0]
    return show_face(picture, face.box, face.landmarks, PIXELS)
