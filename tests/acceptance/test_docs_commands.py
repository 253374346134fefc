"""Every command of README.md and docs/: run as it stands there, or listed with the reason why only its form is checked.

A command that is new in a document fails a test until it is listed. The examples of docs/integrate.md are in
`test_integrate.py`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import pytest
import typer
import yaml

from emotii.__main__ import app
from tests.acceptance.conftest import EMOTII, Running, eventually, free_port
from tests.stage import CLIP, clip_frames

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
HERE = "http://127.0.0.1:5000"
JOB = "4f9d0c1be2a3"
"""The id of a job in the documents."""
EMOTII_COMMAND = re.compile(r"\.venv/bin/emotii ([^;&|]*)")

RUN = (
    # api.md, first, so that there is a door
    f'curl {HERE}/api/v1/sources --json \'{{"name": "door", "address": "demo", "loop": true}}\'',
    # quickstart.md
    f"curl {HERE}/emotion",
    f"curl -o picture.jpg '{HERE}/api/v1/sources/demo/frame.jpg?labels=none'",
    f"curl -F picture=@picture.jpg {HERE}/api/v1/predict",
    ".venv/bin/emotii analyze demo --out analysis",
    "head -3 analysis/readings.csv",
    ".venv/bin/emotii report demo --out report.html",
    # analyze.md
    ".venv/bin/emotii analyze interview.mp4 --out interview",
    ".venv/bin/emotii analyze interview.mp4 --csv faces.csv",
    ".venv/bin/emotii analyze photos/ --csv faces.csv",
    ".venv/bin/emotii report interview.mp4 --out report.html",
    # api.md
    f'curl -H "Authorization: Bearer $TOKEN" {HERE}/emotion',
    f"curl '{HERE}/api/v1/episodes?source=front&emotion=happy&from=2026-01-31T09:00:00Z&limit=2'",
    f"curl -o readings.csv '{HERE}/api/v1/readings?source=front&order=oldest&format=csv'",
    f"curl -F video=@interview.mp4 {HERE}/api/v1/jobs",
    f"curl {HERE}/api/v1/jobs/{JOB}",
    f"curl -O {HERE}/api/v1/jobs/{JOB}/readings.csv",
    f"curl -X DELETE {HERE}/api/v1/jobs/{JOB}",
    f'curl -X PATCH {HERE}/api/v1/settings --json \'{{"saving": false, "blur": "blur"}}\'',
    # hide-faces.md, saved-faces.md, history.md, erase.md
    f'curl -X PATCH {HERE}/api/v1/settings --json \'{{"blur": "mask"}}\'',
    ".venv/bin/emotii dataset export --faces saved_faces --out my-faces",
    "python3 -c \"import sqlite3; sqlite3.connect('.emotii/history.db')"
    '.execute(\\"VACUUM INTO \'history-copy.db\'\\")"',
    f'curl --json \'{{"source": "door"}}\' {HERE}/api/v1/erasures',
    ".venv/bin/emotii erase --source door",
    '.venv/bin/emotii erase --from "2026-01-31 08:00:00" --to "2026-01-31 09:00:00"',
    '.venv/bin/emotii erase --source door --from "2026-01-31 08:00:00"',
    f"curl -X DELETE {HERE}/api/v1/sources/door",
    ".venv/bin/emotii erase --all",
    # access.md
    'echo "EMOTII_TOKENS=operator:$(openssl rand -hex 24),viewer:$(openssl rand -hex 24)" >> .env',
    'echo "EMOTII_DOMAIN=emotii.lan" >> .env',
    "mkdir -m 700 secrets; password=$(openssl rand -hex 24)",
    'sed "s/PASSWORD_SHA256/$(printf %s "$password" | sha256sum | cut -d\' \' -f1)/" deploy/redis/users.acl'
    " > secrets/users.acl",
    'echo "redis://emotii:$password@redis:6379/0" > secrets/redis_url',
    'echo "operator:$(openssl rand -hex 24)" > secrets/tokens',
)
"""In this order, on a system with the demo clip as `front` and `demo`."""
FORM_ONLY = {
    "a camera or another machine": (
        ".venv/bin/emotii up --workers 2 --port 8080 --source front=0 --source demo=demo",
        "export EMOTII_REDIS_URL=redis://192.0.2.10:6379/0",
        ".venv/bin/emotii capture --source door=rtsp://192.0.2.7/stream",
        ".venv/bin/emotii infer",
        ".venv/bin/emotii serve",
        ".venv/bin/emotii jobs",
    ),
    "a PostgreSQL server on another machine": (
        "createuser --pwprompt emotii && createdb --owner emotii emotii",
        "export EMOTII_DATABASE_URL=postgresql://emotii:password@192.0.2.20/emotii",
        "pg_dump --format=custom --file=history.dump postgresql://emotii@192.0.2.20/emotii",
    ),
    "hours, or data that the project may not contain": (
        "EMOTII_PRECISION=f32 .venv/bin/emotii evaluate --model emotii-8 --data faces-valid.npz --half b",
        ".venv/bin/emotii train --data my-faces --from emotii-8 --epochs 5 --out models/mine",
        ".venv/bin/emotii quantize --model models/mine --data my-faces --valid other-faces",
        ".venv/bin/emotii dataset ferplus fer2013.csv fer2013new.csv --out faces-train.npz",
        ".venv/bin/emotii dataset ferplus fer2013.csv fer2013new.csv --usage PublicTest --out faces-valid.npz",
        'T="--data faces-train.npz --valid faces-valid.npz"',
        ".venv/bin/emotii train $T --recipe emotii   --out first/emotii-8  --version 1.1.0",
        ".venv/bin/emotii train $T --recipe finish   --out second/emotii-8 --version 1.2.0 --from first/emotii-8",
        ".venv/bin/emotii train $T --recipe continue --out third/emotii-8  --version 1.2.1 --from second/emotii-8",
        ".venv/bin/emotii train $T --recipe finish   --out models/emotii-8 --version 1.3.0 --from third/emotii-8",
        ".venv/bin/emotii train $T --recipe finish   --out models/emotii-5 --version 1.3.0 --from models/emotii-8"
        " --emotions angry,fear,happy,sad,surprise",
        "for m in emotii-8 emotii-5; do .venv/bin/emotii quantize $T --model models/$m --half a; done",
        ".venv/bin/python benchmarks/experiments/history.py --database sqlite:///try.db",
        ".venv/bin/python benchmarks/experiments/ablations.py --data faces-train.npz --valid faces-valid.npz --epochs 5"
        " --out runs/ablations",
    ),
    "Docker (test_compose.py starts the stack where there is an engine)": (
        "docker compose up",
        "docker compose up --scale inference=4",
        "docker compose --profile tls up --detach",
        "docker compose --profile webcam up",
        "docker compose -f docker-compose.yml -f deploy/docker-compose.secrets.yml up",
        "docker compose exec gateway python -c \"import sqlite3; sqlite3.connect('/srv/history/history.db')"
        '.execute(\\"VACUUM INTO \'/srv/history/copy.db\'\\")"',
        "docker compose cp gateway:/srv/history/copy.db history-copy.db",
    ),
    "make, which installs (the tests run in what it installed)": (
        "make up",
        "make test",
        'make up ARGS="--source demo=demo"',
        'EMOTII_SOURCES="front=0,door=rtsp://192.0.2.7/stream,clip=party.mp4?loop=1" make up',
        'make train ARGS="--data my-faces --from emotii-8 --out models/mine"',
        "EMOTII_MODEL=models/mine/ make up",
        "EMOTII_CAMERA_NETWORKS=192.168.1.0/24 make up",
        "make bench",
        "make bench QUICK=1",
        'make bench ARGS="engine growth"',
    ),
    "the program watch.py, which test_integrate.py runs in a longer form": (".venv/bin/python watch.py",),
}
"""By what running them would need."""
OF_OTHER_TESTS = {"integrate.md": "test_integrate.py"}
"""Pages whose examples another file runs."""
SNIPPETS = {
    "analyze.md": ["python"],
    "quickstart.md": ["python"],
}
"""Programs on other pages: they are compiled, and the one of the quickstart is a shorter one of test_integrate.py."""


def commands_of(block: str) -> Iterator[str]:
    """The commands of a block, without comments; a line that ends with a backslash continues."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        if command := re.sub(r"(^|\s{2,})#\s.*$", "", line).strip():
            yield command


def documented() -> dict[str, str]:
    """Every command in a block of shell commands, with the page on which it is."""
    return {
        command: page.name
        for page in PAGES
        if page.name not in OF_OTHER_TESTS
        for language, block in BLOCK.findall(page.read_text(encoding="utf-8"))
        if language in {"sh", "bash", "shell", "console"}
        for command in commands_of(block)
    }


def inline() -> list[str]:
    """The commands within sentences."""
    texts = [BLOCK.sub("", page.read_text(encoding="utf-8")) for page in PAGES]
    return [code for text in texts for code in re.findall(r"`((?:\.venv/bin/|make |docker compose )[^`]+)`", text)]


def check_form(command: str) -> None:
    """Fails if a shell, the command line of Emotii, Docker's file or the Makefile would refuse the command."""
    subprocess.run(["bash", "-n", "-c", command], check=True)
    variables = {"$T": "--data faces-train.npz --valid faces-valid.npz"}
    for arguments in EMOTII_COMMAND.findall(command.replace("$T", variables["$T"])):
        check_arguments(shlex.split(arguments))
    if script := re.search(r"\.venv/bin/python (benchmarks/\S+)(.*)", command):
        source = (ROOT / script[1]).read_text()  # its --help would import TensorFlow
        options = [option.replace("-", "_") for option in re.findall(r"--([\w-]+)", script[2])]
        assert [option for option in options if not re.search(rf"^    {option}: Annotated", source, re.MULTILINE)] == []
    if "docker compose" in command:
        check_compose(shlex.split(command))
    if made := re.search(r"make (\w+)(?: ARGS=\"(.*)\")?", command):
        subprocess.run(["make", "--dry-run", made[1]], cwd=ROOT, capture_output=True, check=True)
        if made[1] in {"up", "train"}:
            check_arguments([made[1], *shlex.split(made[2] or ("--data x --out y" if made[1] == "train" else ""))])


def check_arguments(arguments: list[str]) -> None:
    """Parse the arguments of `emotii` without running anything; fails with a usage error if they are wrong."""
    command = typer.main.get_command(app)
    while subcommands := getattr(command, "commands", None):
        name, *arguments = arguments
        command = subcommands[name]
    command.make_context(command.name, arguments)


def check_compose(arguments: list[str]) -> None:
    files = [Path(arguments[place + 1]) for place, one in enumerate(arguments) if one == "-f"]
    assert all((ROOT / file).exists() for file in files)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", ())}
    assert {arguments[place + 1] for place, one in enumerate(arguments) if one == "--profile"} <= profiles
    named = re.findall(r"--scale (\w+)=|exec (\w+)|cp (\w+):|docker compose logs (\w+)", " ".join(arguments))
    assert {name for names in named for name in names if name} <= services.keys()


def test_every_command_of_the_documents_is_run_or_has_a_reason_why_not():
    listed = [*RUN, *(command for commands in FORM_ONLY.values() for command in commands)]
    assert len(listed) == len(set(listed))
    assert sorted(documented()) == sorted(listed)


@pytest.mark.parametrize("reason", FORM_ONLY)
def test_a_command_that_is_not_run_has_the_right_form(reason: str):
    for command in FORM_ONLY[reason]:
        check_form(command)


@pytest.mark.parametrize(
    "command",
    [
        ".venv/bin/emotii analyze interview.mp4 --csw faces.csv",
        ".venv/bin/emotii dataset explode",
        ".venv/bin/emotii train --recipe finish",
        "docker compose --profile tsl up",
        "docker compose up --scale infer=4",
        "make upp",
        'echo "open',
    ],
)
def test_a_wrong_form_is_noticed(command: str):
    with pytest.raises((Exception, SystemExit)):
        check_form(command)


def test_commands_within_sentences_have_the_right_form():
    assert len(inline()) > 3
    for command in inline():
        check_form(command)


def test_no_command_of_a_block_needs_an_activated_environment():
    """`make up` installs `emotii` into .venv, which is not on PATH."""
    assert [
        command for command in documented() if re.search(r"(^|&& |; |do )(emotii|python|pytest|pip) ", command)
    ] == []


def test_the_programs_on_other_pages_are_known_and_compile():
    found = {
        page.name: [(language, block) for language, block in BLOCK.findall(page.read_text(encoding="utf-8"))]
        for page in PAGES
        if page.name not in OF_OTHER_TESTS
    }
    programs = {
        name: [language for language, _ in blocks if language in {"python", "js", "html"}]
        for name, blocks in found.items()
    }
    assert {name: languages for name, languages in programs.items() if languages} == SNIPPETS
    for name, blocks in found.items():
        for language, block in blocks:
            if language == "python":
                compile(block, name, "exec")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a clone looks to the commands: an environment, pictures and a video of one's own."""
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    shutil.copy(CLIP, tmp_path / "interview.mp4")
    (tmp_path / "photos").mkdir()
    for number, frame in enumerate(clip_frames(2)):
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.jpg"), frame)
    return tmp_path


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_commands_of_the_documents_work_as_they_are_written(run: Callable[..., Running], folder: Path):
    port = free_port()
    sources = ["--source", "front=demo", "--source", "demo=demo"]
    up = run(*EMOTII, "up", "--port", str(port), *sources)
    eventually(lambda: f":{port}" in up.output or up.process.poll() is not None, 180, "the URL")
    eventually(lambda: list((folder / "saved_faces").glob("*/*.jpg")), 180, "a saved face")
    job, shell = JOB, ['curl() { command curl --silent --show-error --fail-with-body "$@"; }']
    failed = []
    for command in RUN:
        here = command.replace(HERE, f"http://127.0.0.1:{port}").replace(JOB, job)
        if "readings.csv" in here and job in here:
            wait_for_job(f"http://127.0.0.1:{port}/api/v1/jobs/{job}")
        # Later commands of a page use the variables of earlier ones.
        if re.match(r"mkdir .*password=", here):
            shell.append("password=secret")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join([*shell, here])],
            cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            failed.append((command, done.stdout[-500:], done.stderr[-500:]))
        if found := re.match(r'\{"id": ?"(\w+)", ?"name"', done.stdout):
            job = found[1]
    assert failed == []
    assert (folder / "secrets" / "users.acl").read_text().count("PASSWORD_SHA256") == 0
    assert up.end() == 0, up.output


def environment() -> dict[str, str]:
    """That of a user, without the settings of the one who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    return kept | {"TOKEN": "x" * 24, "PYTHONPATH": str(ROOT)}


def wait_for_job(url: str) -> None:
    eventually(lambda: httpx.get(url, timeout=20).json()["state"] == "done" or time.sleep(0.5), 300, "the job is done")
