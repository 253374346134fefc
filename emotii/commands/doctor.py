"""`emotii doctor`: reports what is missing on this machine, and how to fix it."""

import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Literal

from api_gateway.settings import GatewaySettings
from capture_service import detectors
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import configured
from contract.errors import BrokerUnavailable, EmotiiError
from contract.model.folder import find_model
from contract.redis.broker import connect
from contract.redis.server_check import find_problem, foreign_keys, server_version, try_server
from contract.service.installation import install_hint
from contract.service.logs import scrub
from contract.service.settings import load
from emotii.local.own_networks import own_networks
from emotii.local.ports import DEFAULT, is_free
from emotii.local.redis_server import find_server, private_url
from emotii.local.webcam import has_webcam
from emotii.settings import UpSettings
from emotii.settings_reference import unknown
from inference_service.engines import EXTRAS
from inference_service.settings import InferenceSettings

_OTHERS_ENTER, _OTHERS_READ = stat.S_IXGRP | stat.S_IXOTH, stat.S_IRGRP | stat.S_IROTH
_MOST_EXAMINED = 10_000


@dataclass(frozen=True)
class Finding:
    """The result of one check; `remedy` describes how to fix it."""

    verdict: Literal["ok", "note", "missing"]
    subject: str
    fact: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Run all checks, one after the other. A check that raises an EmotiiError has the verdict `missing`."""
    for subject, check in _CHECKS.items():
        try:
            yield check()
        except EmotiiError as error:
            yield Finding("missing", subject, str(error))
        except ModuleNotFoundError as error:
            yield Finding("missing", subject, f"{error.name} is not installed", install_hint("up"))


def _python() -> Finding:
    version = platform.python_version()
    if (3, 11) <= sys.version_info < (3, 14):
        return Finding("ok", "Python", version)
    return Finding("missing", "Python", version, "use Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11 up")


def _cpu() -> Finding:
    from contract.model.openvino import core

    properties = core().get_property
    features = properties("CPU", "OPTIMIZATION_CAPABILITIES")
    name = f"{properties('CPU', 'FULL_DEVICE_NAME').strip()}, {os.cpu_count()} cores"
    if "BF16" in features:
        return Finding("ok", "Processor", f"{name}, with bf16")
    return Finding("ok", "Processor", f"{name}, without bf16 (models with 8-bit integers do not use it)")


def _server() -> Finding:
    url = load(UpSettings).redis_url
    if url is None:
        program = find_server()
        url = private_url(load(UpSettings).data, program)
        if not Path(url.removeprefix("unix://")).exists():
            return Finding("ok", "Redis", f"`emotii up` starts a private server: {program.name}, at {url}")
    return _examined(url)


def _examined(url: str) -> Finding:
    """What a server says of itself, and what it does when it is tried."""
    clients = connect(url, "doctor")
    try:
        problem = find_problem(clients.commands) or try_server(clients.commands)
        version = server_version(clients.commands) or "a server of unknown version"
        foreign = [] if problem else foreign_keys(clients.commands)
    except BrokerUnavailable as error:
        remedy = "start the server, correct EMOTII_REDIS_URL, or unset it to use a private server"
        return Finding("missing", "Redis", f"{scrub(url)}: {error}", remedy)
    finally:
        clients.close()
    if problem:
        return Finding("missing", "Redis", f"{scrub(url)}: {problem.fact}", problem.remedy)
    if foreign:
        return Finding("missing", "Redis", f"{scrub(url)}: {'; '.join(foreign)}", "delete what another program wrote")
    return Finding("ok", "Redis", f"{scrub(url)}: {version}; a stream, a script and a lease were tried")


def _model() -> Finding:
    model = find_model(load(InferenceSettings).model)
    model.read(".onnx")
    return Finding("ok", "Model", f"{model.card.id}: {', '.join(model.card.labels)}")


def _engine() -> Finding:
    name = load(InferenceSettings).engine
    if find_spec(name) is None:
        return Finding("missing", "Engine", f"{name} is not installed", install_hint(EXTRAS[name]))
    return Finding("ok", "Engine", name)


def _detector() -> Finding:
    settings = load(CaptureSettings)
    detectors.configured(settings)
    return Finding("ok", "Detector", settings.detector)


def _settings() -> Finding:
    if sentences := list(unknown(os.environ)):
        return Finding("note", "Settings", "; ".join(sentences), "docs/configuration.md lists all settings")
    return Finding("ok", "Settings", "every EMOTII_ variable in the environment is a setting")


def _sources() -> Finding:
    up = load(UpSettings)
    if up.sources is None and up.sources_file is None:
        return Finding("ok", "Sources", "the first webcam, or the demo clip if there is no webcam")
    specs = configured(load(CaptureSettings))
    return Finding("ok", "Sources", ", ".join(f"{spec.name}={spec.safe}" for spec in specs))


def _camera() -> Finding:
    if has_webcam():
        return Finding("ok", "Camera", "the first webcam delivers frames")
    remedy = "connect one, give your user access to /dev/video0 (Linux: group video), or use --source"
    return Finding("note", "Camera", "no webcam delivers frames; `emotii up` shows the demo clip instead", remedy)


def _networks() -> Finding:
    """The private networks of this machine, in which cameras stand, and how the page may add them."""
    allowed = load(GatewaySettings).camera_networks
    here = own_networks()
    closed = [one for one in here if not any(one.version == two.version and one.subnet_of(two) for two in allowed)]
    if closed:
        setting = f"EMOTII_CAMERA_NETWORKS={','.join(map(str, [*allowed, *closed]))}"
        fact = f"cameras in {', '.join(map(str, closed))} cannot be added on the page, only named in EMOTII_SOURCES"
        return Finding("note", "Networks", fact, f"to allow them: {setting}")
    return Finding("ok", "Networks", f"cameras may be added in {', '.join(map(str, here)) or 'public networks'}")


def _files() -> Finding:
    gateway = load(GatewaySettings)
    folders = (load(UpSettings).data, gateway.saved_faces, gateway.jobs)
    if found := [folder for folder in folders if _is_open_to_others(folder)]:
        names = " ".join(str(folder) for folder in found)
        remedy = f"chmod -R go= {names}   (older releases created files that others could read)"
        return Finding("note", "Files", f"other users of this machine can read {names}", remedy)
    return Finding("ok", "Files", "other users of this machine can read no faces, no recordings and no history")


def _is_open_to_others(folder: Path) -> bool:
    """Whether other users can read a file in the folder; of a large folder, a part is examined."""
    if not folder.is_dir() or not folder.stat().st_mode & _OTHERS_ENTER:
        return False
    files = (path for path in folder.rglob("*") if path.is_file())
    return any(path.lstat().st_mode & _OTHERS_READ for path in islice(files, _MOST_EXAMINED))


def _port() -> Finding:
    settings = load(UpSettings)
    port = settings.port or DEFAULT
    if is_free(settings.host, port):
        return Finding("ok", "Port", f"{port} is free")
    return Finding("note", "Port", f"{port} is taken", "`emotii up` uses the next free port, or set EMOTII_PORT")


_CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": _python,
    "Processor": _cpu,
    "Settings": _settings,
    "Redis": _server,
    "Model": _model,
    "Engine": _engine,
    "Detector": _detector,
    "Sources": _sources,
    "Camera": _camera,
    "Networks": _networks,
    "Port": _port,
    "Files": _files,
}
