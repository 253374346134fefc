"""An installed wheel finds its models, its demo and its page outside the checkout."""

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOOK = """
import json
from pathlib import Path
import api_gateway, contract.model.folder
from capture_service.sources.spec import DEMO_CLIP
model = contract.model.folder.find_model("emotii-5")
print(json.dumps({
    "model": str(model.folder / "emotii-5.onnx"),
    "demo": str(DEMO_CLIP),
    "migration": str(next(Path(api_gateway.__file__).parent.glob("history/migrations/versions/0001*.py"))),
    "page": str(next(Path(api_gateway.__file__).parent.glob("static/*.html"))),
}))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The Python of an environment that holds the wheel itself, and the dependencies of this one."""
    wheels = tmp_path / "wheels"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = next(environment.glob("lib/*/site-packages"))
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    # A path in a .pth file is not searched for .pth files itself, so the editable install stays out of sight.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "python"


def test_the_wheel_contains_models_demo_migrations_and_page(installed: Path, tmp_path: Path):
    found = subprocess.run([installed, "-c", LOOK], cwd=tmp_path, check=True, capture_output=True, text=True)
    for path in json.loads(found.stdout).values():
        assert Path(path).is_file()
        assert Path(path).is_relative_to(tmp_path / "environment"), path


@pytest.mark.long
def test_the_installed_command_analyses_the_demo(installed: Path, tmp_path: Path):
    command = [installed, "-m", "emotii", "analyze", "demo", "--csv", "faces.csv"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=100)
    assert len((tmp_path / "faces.csv").read_text().splitlines()) > 100
