import pytest

from benchmarks.measuring.machine import machine
from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.page import write
from benchmarks.reporting.record import Entry, load, save
from benchmarks.reporting.table import number

ROW = Row.of("this", [3.0, 1.0, 2.0], "x", ratio_to="that", must=1.5, reach=3.0)


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(4, False, "reached"), (2, False, "enough"), (1, False, "missed"), (1, True, "enough"), (9, True, "missed")],
)
def test_the_verdict_accounts_for_whether_more_is_better(value, at_most, verdict):
    must, reach = (1.5, 3.0) if not at_most else (1.5, 0.5)
    assert Row("it", value, "x", must=must, reach=reach, at_most=at_most).verdict == verdict


def test_a_row_has_the_median_and_the_extremes():
    assert (ROW.value, ROW.spread) == (2.0, (1.0, 3.0))


@pytest.mark.parametrize(("value", "words"), [(1234.5, "1,234"), (99.96, "100"), (0.01234, "0.0123"), (7, "7")])
def test_numbers_have_three_significant_digits(value, words):
    assert number(value) == words


def test_a_record_is_loaded_as_it_was_saved_and_its_figures_are_on_the_page(tmp_path):
    series = Series("plot", "x", "y", {"line": [(1, 2), (3, 4)]}, log_x=True)
    record = {"engine": Entry(Answer("engine", "About it.", [ROW], [series]), machine(), Size.TINY)}
    save(record, tmp_path / "figures.json")
    page = tmp_path / "page.md"
    page.write_text(
        "Kept.\n<!-- figures: must -->\nold\n<!-- end -->\n<!-- figures: engine -->\n<!-- end -->\nKept, too.\n"
    )

    write(page, load(tmp_path / "figures.json"))
    write(page, load(tmp_path / "figures.json"))

    text = page.read_text()
    assert text.count("| this / that | 2 | x | 1 - 3 |") == 2
    assert "old" not in text
    assert text.startswith("Kept.")
    assert text.endswith("Kept, too.\n")
    assert (tmp_path / "page" / "engine-1.png").stat().st_size > 1000
