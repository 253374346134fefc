"""The help of the command line."""

import re

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from emotii.__main__ import app

COMMANDS = {
    "Run and maintain Emotii": {"up", "doctor", "erase"},
    "Analyse pictures and recordings": {"predict", "analyze", "report"},
    "Run one service": {"capture", "infer", "serve", "jobs"},
    "Train and measure models": {"train", "evaluate", "calibrate", "quantize", "visualize", "dataset"},
}


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "120", "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_help_groups_every_command_and_shows_examples():
    shown = help_of()
    panels = dict(re.findall(r"─ ([A-Z][^─]+) ─+╮\n(.*?)╰", shown, flags=re.DOTALL))
    found = {title: set(re.findall(r"^│ (\w+) ", panel, flags=re.MULTILINE)) for title, panel in panels.items()}
    assert {title: names for title, names in found.items() if title != "Options"} == COMMANDS
    assert "emotii up --source door=rtsp://192.0.2.7/stream" in shown


@pytest.mark.parametrize("command", sorted(set().union(*COMMANDS.values()) - {"dataset"}))
def test_the_help_of_a_command_shows_its_whole_description(command: str):
    described = get_command(app).commands[command].help
    shown = re.sub(r"[\s│]+", " ", help_of(command))
    assert re.sub(r"\s+", " ", described).strip() in shown
