from benchmarks.measuring.measure import Sample, alternate, ratios, timed


def test_variants_alternate_and_their_order_is_reversed_each_round():
    calls = []
    ways = {name: lambda name=name: calls.append(name) or Sample(1, 1, 1) for name in "ab"}
    samples = alternate(ways, 3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert [len(found) for found in samples.values()] == [3, 3]


def test_a_warm_up_is_not_a_sample():
    count = iter(range(10))
    assert [sample.count for sample in alternate({"a": lambda: Sample(next(count), 1, 1)}, 2, warm_up=True)["a"]] == [
        1,
        2,
    ]


def test_cpu_seconds_are_those_of_the_given_clock():
    clock = iter([10.0, 12.5])
    assert timed(lambda: 5, lambda: next(clock)).per_cpu_second == 2.0


def test_work_that_is_shorter_than_a_tick_of_the_clock_costs_one_tick():
    clock = iter([10.0, 10.0, 10.0, 12.5])
    assert timed(lambda: 200, lambda: next(clock)).cpu_us_each == 50.0
    assert timed(lambda: 5, lambda: next(clock)).cpu_us_each == 500_000.0


def test_ratios_are_taken_round_by_round():
    assert ratios([10, 30], [5, 10]) == [2, 3]
