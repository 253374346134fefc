import pytest

from benchmarks.answer import Answer, Row, Series
from benchmarks.machine import machine
from benchmarks.measure import Sample, Size, alternate, ratios, timed
from benchmarks.page import write
from benchmarks.record import Entry, load, save
from benchmarks.table import number

ROW = Row.of("this", [3.0, 1.0, 2.0], "x", ratio_to="that", must=1.5, reach=3.0)


def test_ways_take_turns_and_the_order_turns_round():
    calls = []
    ways = {name: lambda name=name: calls.append(name) or Sample(1, 1, 1) for name in "ab"}
    samples = alternate(ways, 3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert [len(found) for found in samples.values()] == [3, 3]


def test_a_warm_up_is_no_sample():
    count = iter(range(10))
    assert [sample.count for sample in alternate({"a": lambda: Sample(next(count), 1, 1)}, 2, warm_up=True)["a"]] == [
        1,
        2,
    ]


def test_cpu_seconds_are_those_of_the_clock_that_is_given():
    clock = iter([10.0, 12.5])
    assert timed(lambda: 5, lambda: next(clock)).per_cpu_second == 2.0


def test_ratios_are_taken_round_by_round():
    assert ratios([10, 30], [5, 10]) == [2, 3]


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(4, False, "reached"), (2, False, "enough"), (1, False, "missed"), (1, True, "enough"), (9, True, "missed")],
)
def test_the_verdict_knows_which_way_is_good(value, at_most, verdict):
    must, reach = (1.5, 3.0) if not at_most else (1.5, 0.5)
    assert Row("it", value, "x", must=must, reach=reach, at_most=at_most).verdict == verdict


def test_a_row_has_the_median_and_the_extremes():
    assert (ROW.value, ROW.spread) == (2.0, (1.0, 3.0))


@pytest.mark.parametrize(("value", "words"), [(1234.5, "1,234"), (99.96, "100"), (0.01234, "0.0123"), (7, "7")])
def test_numbers_have_three_figures(value, words):
    assert number(value) == words


def test_a_record_comes_back_as_it_was_and_its_figures_stand_on_the_page(tmp_path):
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
