from api_gateway.results.erased_scopes import IN_TRANSIT_MS, ErasedScopes
from contract.messages.erasure import ErasureScope

NOW = 1_000_000
SCOPE = ErasureScope(source="front", from_ms=NOW - 5_000, to_ms=NOW + 2_000)


def test_a_scope_covers_its_source_and_span_as_long_as_its_erasure_runs():
    erased = ErasedScopes()
    erased.add(SCOPE)
    erased.prune(NOW + 100 * IN_TRANSIT_MS)
    assert erased.cover("front", NOW)
    assert not erased.cover("door", NOW)
    assert not erased.cover("front", NOW + 2_001)
    assert erased.overlap("front", NOW - 9_000, NOW - 5_000)
    assert not erased.overlap("front", NOW - 9_000, NOW - 5_001)


def test_a_scope_is_dropped_when_nothing_of_it_can_arrive_any_more():
    erased = ErasedScopes()
    erased.add(SCOPE)
    erased.settle(SCOPE, NOW)
    erased.prune(SCOPE.to_ms + IN_TRANSIT_MS - 1)
    assert erased.cover("front", NOW)
    erased.prune(SCOPE.to_ms + IN_TRANSIT_MS)
    assert not erased.cover("front", NOW)
    assert len(erased) == 0


def test_a_scope_of_long_ago_is_kept_from_the_end_of_its_erasure_on():
    erased = ErasedScopes()
    old = ErasureScope(to_ms=5_000)
    erased.add(old)
    erased.settle(old, NOW)
    erased.prune(NOW + IN_TRANSIT_MS - 1)
    assert erased.cover("front", 4_000)
    erased.prune(NOW + IN_TRANSIT_MS)
    assert len(erased) == 0


def test_every_addition_is_counted():
    erased = ErasedScopes()
    erased.add(SCOPE)
    erased.settle(SCOPE, NOW)
    erased.prune(NOW + 100 * IN_TRANSIT_MS)
    erased.add(SCOPE)
    assert erased.added == 2
