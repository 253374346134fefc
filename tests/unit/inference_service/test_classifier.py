import pytest

from contract.messages import Dead, Reading, read_outcome
from contract.redis.clock import RedisClock
from inference_service import delivery
from inference_service.classifier import Classifier
from inference_service.delivery import Delivery, Forwarded
from inference_service.poison import IsolatingClassifier
from tests.inference import RAISES, THRESHOLDS, ObedientEngine, crop, frame_done


class Noon(RedisClock):
    def now_ms(self):
        return 12_000


@pytest.fixture
def engine():
    return ObedientEngine()


@pytest.fixture
def classify(engine):
    classifier = Classifier(IsolatingClassifier(engine), engine.card, "worker-1", Noon())

    def classify(*entries):
        template, each = classifier.classify(
            [
                entry if isinstance(entry, Delivery) else Delivery("cam", b"%d-0" % number, entry.fields())
                for number, entry in enumerate(entries)
            ]
        )
        return [parsed(template, outcome) for outcome in each]

    return classify


def parsed(template, outcome):
    if isinstance(outcome, delivery.Reading):
        read = read_outcome(template.filled(outcome.values))
        assert read.stale == outcome.stale
        return read
    return read_outcome(outcome.fields) if isinstance(outcome, Forwarded) else outcome


def test_outcomes_have_the_order_of_their_deliveries(classify):
    late, poison = crop("cam", 1, deadline_ms=11_999), crop("cam", 2, mark=RAISES)
    done = frame_done("cam", 3)

    first, stale, dead, forwarded, last = classify(crop("cam", 0), late, poison, done, crop("cam", 4))

    assert (first.id.frame, first.stale, last.id.frame, last.stale) == (0, False, 4, False)
    assert (stale.id.frame, stale.stale) == (1, True)
    assert (dead.entry, dead.reason) == ("2-0", "failure on request")
    assert forwarded == done


def test_a_reading_has_every_field(classify):
    sent = crop("cam", 7, index=2, captured_ms=11_000)
    (reading,) = classify(Delivery("cam", b"11005-2", sent.fields()))
    assert reading == Reading(
        sent.id,
        sent.face,
        11_000,
        "obedient@1.0.0",
        ("angry", "fear", "happy", "sad", "surprise"),
        reading.probabilities,
        "worker-1",
        12_000,
        12_000,
        THRESHOLDS,
        stored_ms=11_005,
    )
    assert sum(reading.probabilities) == pytest.approx(1)


def test_an_entry_whose_id_is_not_a_time_has_a_reading_without_a_stored_time(classify):
    (reading,) = classify(Delivery("cam", b"18446744073709551614-0", crop("cam", 7).fields()))
    assert reading.stored_ms is None


@pytest.mark.parametrize(("deadline_ms", "stale"), [(0, False), (11_999, True), (12_000, False), (12_001, False)])
def test_a_crop_is_stale_after_its_deadline_and_never_without_one(classify, engine, deadline_ms, stale):
    (reading,) = classify(crop("cam", 0, deadline_ms=deadline_ms))
    assert reading.stale == stale
    assert engine.batches == ([] if stale else [1])


def test_rejected_and_deleted_entries_are_dead_lettered_without_the_engine(classify, engine):
    rejected = Delivery("cam", b"1-0", crop("cam", 0).fields(), rejection_reason="it killed its worker")
    deleted = Delivery("cam", b"2-0", {})

    dead = classify(rejected, deleted)

    assert [type(one) for one in dead] == [Dead, Dead]
    assert [one.entry for one in dead] == ["1-0", "2-0"]
    assert dead[0].reason == "it killed its worker"
    assert "deleted" in dead[1].reason
    assert engine.batches == []


def test_a_crop_on_the_stream_of_another_source_is_dead_lettered(classify):
    (dead,) = classify(Delivery("door", b"1-0", crop("cam", 0).fields()))
    assert dead.reason == "source: not the one whose stream this is"


class Ticking(RedisClock):
    """Returns one time after another."""

    def __init__(self, *times_ms):
        super().__init__()
        self.times = list(times_ms)

    def now_ms(self):
        return self.times.pop(0)


def test_a_crop_that_would_miss_its_deadline_after_a_batch_like_the_last_one_is_stale(engine):
    clock = Ticking(1_000, 1_100, 2_000, 2_000, 3_000, 3_000, 4_000, 4_010)
    classifier = Classifier(IsolatingClassifier(engine), engine.card, "worker-1", clock)

    def stale(deadline_ms):
        entry = Delivery("cam", b"1-0", crop("cam", 0, deadline_ms=deadline_ms).fields())
        return classifier.classify([entry]).each[0].stale

    assert not stale(1_500)  # this batch takes 100 ms
    assert stale(2_099)
    assert not stale(3_050)  # nothing was classified, so the estimate is halved
    assert not stale(4_005)
