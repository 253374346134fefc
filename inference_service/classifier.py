"""From deliveries to outcomes."""

from collections.abc import Sequence

from contract.clock import RedisClock
from contract.errors import MalformedMessage
from contract.messages import Crop, Dead, FrameDone, Manifest, Reading, read_crop_entry
from contract.model import ModelCard
from inference_service import metrics
from inference_service.delivery import Delivery, Outcome
from inference_service.poison import Isolation, Poison

LONGEST_REASON = 200


class Classifier:
    """Gives every delivery its outcome: readings for crops, the same for what passes through, dead for the rest."""

    def __init__(self, isolation: Isolation, card: ModelCard, worker: str, clock: RedisClock) -> None:
        self._isolation = isolation
        self._card = card
        self._worker = worker
        self._clock = clock

    def classify(self, batch: Sequence[Delivery]) -> list[Outcome]:
        """One outcome a delivery, in the same order. A crop past its deadline gets a reading without probabilities.

        Raises:
            EngineBroken: the engine fails on everything.
        """
        read_ms = self._clock.now_ms()
        entries = [_read(delivery) for delivery in batch]
        fresh = [entry for entry in entries if isinstance(entry, Crop) and not _stale(entry, read_ms)]
        with metrics.engine_time(len(fresh)):
            verdicts = iter(self._isolation.classify([crop.array() for crop in fresh]))
        done_ms = self._clock.now_ms()
        outcomes: list[Outcome] = []
        for delivery, entry in zip(batch, entries, strict=True):
            if not isinstance(entry, Crop):
                outcomes.append(entry)
            elif _stale(entry, read_ms):
                outcomes.append(self._reading(delivery, entry, (), read_ms, done_ms))
            elif isinstance(verdict := next(verdicts), Poison):
                outcomes.append(_dead(delivery, verdict.reason))
            else:
                outcomes.append(self._reading(delivery, entry, verdict, read_ms, done_ms))
        return outcomes

    def _reading(
        self, delivery: Delivery, crop: Crop, probabilities: tuple[float, ...], read_ms: int, done_ms: int
    ) -> Reading:
        if crop.deadline_ms:
            metrics.CROP_AGE.observe(max(0, done_ms - crop.captured_ms) / 1000)
        return Reading(
            id=crop.id,
            face=crop.face,
            captured_ms=crop.captured_ms,
            model=self._card.id,
            labels=self._card.labels,
            probabilities=probabilities,
            worker=self._worker,
            read_ms=read_ms,
            done_ms=done_ms,
            thresholds=self._card.uncertain,
            stored_ms=delivery.stored_ms,
        )


def _stale(crop: Crop, now_ms: int) -> bool:
    return 0 < crop.deadline_ms < now_ms


def _read(delivery: Delivery) -> Crop | FrameDone | Manifest | Dead:
    if delivery.condemned:
        return _dead(delivery, delivery.condemned)
    if not delivery.fields:
        return _dead(delivery, "it was deleted from the stream before it was classified")
    try:
        entry = read_crop_entry(delivery.fields)
    except MalformedMessage as error:
        return _dead(delivery, str(error))
    if entry.id.source != delivery.source:
        return _dead(delivery, "source: not the one whose stream this is")
    return entry


def _dead(delivery: Delivery, reason: str) -> Dead:
    return Dead(delivery.entry.decode(), reason[:LONGEST_REASON], delivery.fields)
