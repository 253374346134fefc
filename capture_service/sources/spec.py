"""The sources to capture, as people write them, checked and frozen before anything is started."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from capture_service.settings import CaptureSettings
from capture_service.sources.options import Options
from contract.address import DEMO, DetectorName, address_kind, safe_url
from contract.errors import SourceError, reason_of
from contract.keys import UPLOADS
from contract.printable import printable

Kind = Literal["webcam", "file", "pictures", "stream", "inbox", "browser"]

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".avif", ".tif", ".tiff")
DEMO_CLIP = Path(__file__).parents[1] / "demo" / "demo.mp4"
NONE = "none"
"""The value of EMOTII_SOURCES for no source; an empty value means the default."""


@dataclass(frozen=True)
class SourceSpec:
    """One source, as configured."""

    name: str
    kind: Kind
    address: str = field(repr=False)
    """A webcam's number, an absolute path or a URL; empty for an inbox and a browser. May hold credentials."""
    loop: bool = False
    """Begin again at the end; files and folders only."""
    fps: float | None = None
    """Frames a second to process; None: the pace of the file, or all frames of a camera."""
    detector: DetectorName | None = None
    """Instead of the detector of the settings."""
    passes: int = 1
    """How often a job processes the recording."""
    uploaded_as: str = ""
    """The name that the uploader gave this recording. An uploaded file must not name other files, as playlists do."""
    added: bool = False
    """Whether people added it while the service runs."""

    @property
    def safe(self) -> str:
        """The address without credentials, for people, logs and the registry."""
        if self.uploaded_as:
            return printable(self.uploaded_as)
        if self.kind == "webcam":
            return f"webcam {self.address}"
        if self.kind != "stream":
            return "demo" if self.address == str(DEMO_CLIP) else printable(self.address) or self.kind
        return safe_url(self.address)


UPLOADED = SourceSpec(UPLOADS, "inbox", "")
"""Uploaded pictures: every capture service has this source."""


def configured(settings: CaptureSettings) -> tuple[SourceSpec, ...]:
    """Every source that the settings name.

    Raises:
        SourceError: one is not valid; the message names it and shows no credentials.
    """
    if settings.sources_file is not None:
        return read_toml(settings.sources_file)
    return parse_list(settings.sources)


def parse_list(text: str) -> tuple[SourceSpec, ...]:
    """`front=0,demo=demo,clip=clips/a.mp4?loop=1` as sources; `none` is no source."""
    if text.strip() == NONE:
        return ()
    specs = []
    for place, part in enumerate((part.strip() for part in text.split(",")), start=1):
        name, equals, address = part.partition("=")
        if not part:
            continue
        if not equals or "://" in name:
            # The part is not shown: it may be the second half of a password that holds a comma.
            raise SourceError(
                f"EMOTII_SOURCES: part {place} is not NAME=ADDRESS, for example front=0"
                " (an address with a comma needs EMOTII_SOURCES_FILE)"
            )
        specs.append(parse(name.strip(), address.strip()))
    return _all_different(specs)


def read_toml(path: Path) -> tuple[SourceSpec, ...]:
    """The sources of a file with a table `[sources.NAME]` for each: `url`, and maybe loop, fps and detector."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("sources", {})
    except OSError as error:
        raise SourceError(f"EMOTII_SOURCES_FILE: {path}: {reason_of(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"EMOTII_SOURCES_FILE: {path}: {error}") from error
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SourceError(f"EMOTII_SOURCES_FILE: {path}: write a table [sources.NAME] with url = ... for each source")
    specs = []
    for name, table in tables.items():
        address = table.pop("url", None)
        if not isinstance(address, str | int) or isinstance(address, bool):
            raise SourceError(f"source {name!r}: url is missing or neither text nor a webcam's number")
        specs.append(parse(name, str(address), Options.from_table(name, table)))
    return _all_different(specs)


def parse(name: str, address: str, options: Options | None = None) -> SourceSpec:
    """One source; `options` take precedence over those behind the `?` of a path.

    Raises:
        SourceError: the name, the address or an option is not valid, or a file is missing.
    """
    match address_kind(name, address):
        case "webcam":
            return _spec(name, "webcam", str(int(address)), options or Options())
        case "inbox":
            return _spec(name, "inbox", "", options or Options())
        case "demo":
            return _spec(name, "file", str(DEMO_CLIP), (options or Options()).model_copy(update={"loop": True}))
        case "stream":
            return _spec(name, "stream", address, options or Options())
        case "path":
            path, _, query = address.partition("?")
            return _recorded(name, Path(path), options or Options.from_query(name, query))


def recording(path_text: str, passes: int = 1) -> SourceSpec:
    """A video file or folder of pictures as a job that processes it `passes` times.

    Raises:
        SourceError: there is no such file or folder.
    """
    if passes < 1:
        raise SourceError(f"passes: {passes} is not 1 or more")
    path = DEMO_CLIP if path_text == DEMO else Path(path_text)
    return _recorded("job", path, Options(), passes)


def _recorded(name: str, path: Path, options: Options, passes: int = 1) -> SourceSpec:
    try:
        path = path.expanduser().resolve()
        is_folder, exists, is_file = path.is_dir(), path.exists(), path.is_file()
        holds_pictures = is_folder and any(file.suffix.lower() in PICTURE_SUFFIXES for file in path.iterdir())
    except (OSError, ValueError, RuntimeError) as error:  # no file can have the name, or the folder is not readable
        raise SourceError(f"source {name!r}: {printable(path)[:200]}: {reason_of(error)}") from error
    if is_folder:
        if not holds_pictures:
            raise SourceError(f"source {name!r}: no pictures ({', '.join(PICTURE_SUFFIXES)}) in {printable(path)}")
        return _spec(name, "pictures", str(path), options, passes)
    if not is_file:  # a device or FIFO could be read for ever
        what = "not a regular file" if exists else "no such file"
        raise SourceError(f"source {name!r}: {what}: {printable(path)}")
    return _spec(name, "file", str(path), options, passes)


def _spec(name: str, kind: Kind, address: str, options: Options, passes: int = 1) -> SourceSpec:
    if options.loop and kind not in {"file", "pictures"}:
        raise SourceError(f"source {name!r}: only a file or a folder can loop")
    return SourceSpec(name, kind, address, options.loop, options.fps, options.detector, passes)


def _all_different(specs: list[SourceSpec]) -> tuple[SourceSpec, ...]:
    names = [spec.name for spec in specs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"source {repeated[0]!r} is named twice")
    return tuple(specs)
