"""The one CSV writer: no cell is a formula, and numbers stay numbers."""

import csv
import io
from pathlib import Path

import pytest

from contract.csv_writer import CsvWriter

ROOT = Path(__file__).parents[3]
PACKAGES = ("api_gateway", "capture_service", "emotii", "inference_service", "jobs_service", "training")


def written(*rows):
    file = io.StringIO(newline="")
    CsvWriter(file).writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(http://192.0.2.1)",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\uff1d1",
        "-",
        "--1",
        "=1,2",
        '="1"',
    ],
)
def test_a_text_that_begins_like_a_formula_becomes_text(text):
    assert list(csv.reader(io.StringIO(written([text, "b"]), newline=""))) == [[f"'{text}", "b"]]


@pytest.mark.parametrize("value", [-1, -1.5, "-1", "-0.25", "+3", "1e-05", "-1.5e+20", 0.5, True])
def test_a_number_stays_a_number(value):
    assert written([value]) == f"{value}\r\n"


@pytest.mark.parametrize("text", ["", "happy", "a=1", "'=1", "a-b", "\u00e4, b", 'a "b"', "two\nlines", "a\tb"])
def test_other_text_is_unchanged(text):
    assert list(csv.reader(io.StringIO(written([text, "b"]), newline=""))) == [[text, "b"]]


def test_a_semicolon_does_not_part_cells_where_spreadsheets_part_them_there():
    assert written(["a;=HYPERLINK(1)", 1]) == '"a;=HYPERLINK(1)",1\r\n'


def test_nothing_is_an_empty_cell():
    assert written([None, ""], [1, None]) == ",\r\n1,\r\n"


def test_no_package_writes_csv_in_another_way():
    modules = [module for package in PACKAGES for module in (ROOT / package).rglob("*.py")]
    assert len(modules) > 100
    texts = {module: module.read_text(encoding="utf-8") for module in modules}
    assert [module for module, text in texts.items() if "csv.writer" in text or "DictWriter" in text] == []
