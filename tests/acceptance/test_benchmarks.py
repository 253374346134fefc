"""Every benchmark runs once at its smallest size, so that none rots; no figure is looked at.

`make test` runs the one that takes least, `make test-long` the others.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.questions import QUESTIONS

QUICK = ("pipeline",)
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "question", [pytest.param(one, marks=[] if one in QUICK else pytest.mark.long) for one in QUESTIONS]
)
def test_every_question_has_a_result_and_a_place_on_the_page(question, tmp_path):
    figures, page = tmp_path / "figures.json", tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    command = [sys.executable, "-m", "benchmarks", question, "--size", "tiny", "--json", figures, "--page", page]

    subprocess.run([str(part) for part in command], cwd=PAGE.parents[1], check=True, timeout=580)

    answer = json.loads(figures.read_text())[question]["answer"]
    assert answer["rows"], "an answer has figures"
    assert page.read_text().count(answer["about"]) == 1, f"docs/performance.md has no place for {question}"
    assert len(list((tmp_path / "performance").glob("*.png"))) == len(answer["series"])
