"""From deliveries to outcomes."""

from collections.abc import Sequence

import numpy as np

from contract.errors import MalformedMessage
from contract.messages import Crop, Dead, read_crop_entry
from contract.messages.fast_parse import READING_VALUES, ParsedCrop, fast_parse_frame
from contract.messages.reading import shared_fields
from contract.model.folder import ModelCard
from contract.model.normalisation import CROP_SIZE
from contract.redis.clock import RedisClock
from contract.redis.commit import BatchTemplate
from inference_service import metrics
from inference_service.delivery import Delivery, Forwarded, Outcome, Outcomes, Reading
from inference_service.engines.engine import Pixels, Probabilities
from inference_service.poison import IsolatingClassifier, Poison

LONGEST_REASON = 200


class Classifier:
    """Produces one outcome per delivery: a reading, the forwarded entry, or a dead letter."""

    def __init__(self, isolating: IsolatingClassifier, card: ModelCard, worker: str, clock: RedisClock) -> None:
        self._isolating = isolating
        self._card = card
        self._worker = worker
        self._clock = clock
        self._last_batch_ms = 0
        """How long the previous batch took."""

    def classify(self, batch: Sequence[Delivery]) -> Outcomes:
        """One outcome per delivery, in the same order.

        A crop gets a reading without probabilities if it would miss its deadline, assuming that this batch takes as
        long as the previous one.

        Raises:
            EngineBroken: the engine fails on everything.
        """
        read_ms = self._clock.now_ms()
        entries = [_parse(delivery) for delivery in batch]
        ready_ms = read_ms + self._last_batch_ms
        fresh = [entry for entry in entries if isinstance(entry, ParsedCrop) and not _stale(entry, ready_ms)]
        verdicts = iter(self._run(fresh))
        done_ms = self._clock.now_ms()
        # One slow batch must not make every later crop stale, so without a crop to time the estimate is halved.
        self._last_batch_ms = max(0, done_ms - read_ms) if fresh else self._last_batch_ms // 2
        outcomes: list[Outcome] = []
        for delivery, entry in zip(batch, entries, strict=True):
            if not isinstance(entry, ParsedCrop):
                outcomes.append(entry)
                continue
            if entry.deadline_ms:
                metrics.CROP_LATENCY.observe(max(0, done_ms - entry.captured_ms) / 1000)
            if _stale(entry, ready_ms):
                outcomes.append(_reading(delivery, entry, b""))
            elif isinstance(verdict := next(verdicts), Poison):
                outcomes.append(_dead(delivery, verdict.reason))
            else:
                outcomes.append(_reading(delivery, entry, verdict.tobytes()))
        return Outcomes(self._template(read_ms, done_ms), outcomes)

    def _run(self, crops: Sequence[ParsedCrop]) -> list[Probabilities | Poison]:
        with metrics.engine_time(len(crops)):
            return self._isolating.classify(_pixels(crops))

    def _template(self, read_ms: int, done_ms: int) -> BatchTemplate:
        card = self._card
        return BatchTemplate(
            READING_VALUES, shared_fields(card.id, card.labels, self._worker, read_ms, done_ms, card.uncertain)
        )


def _pixels(crops: Sequence[ParsedCrop]) -> Pixels:
    """Shape (n, 48, 48)."""
    pixels = np.frombuffer(b"".join([crop.pixels for crop in crops]), np.uint8)
    return pixels.reshape(-1, CROP_SIZE, CROP_SIZE)


def _stale(crop: ParsedCrop, now_ms: int) -> bool:
    return 0 < crop.deadline_ms < now_ms


def _parse(delivery: Delivery) -> ParsedCrop | Forwarded | Dead:
    if delivery.rejection_reason:
        return _dead(delivery, delivery.rejection_reason)
    fields = delivery.fields
    if not fields:
        return _dead(delivery, "it was deleted from the stream before it was classified")
    if fields.get(b"source") == delivery.source.encode():
        if crop := ParsedCrop.fast_parse(fields):
            return crop
        if fast_parse_frame(fields):
            return Forwarded(fields)
    return _parse_strictly(delivery)


def _parse_strictly(delivery: Delivery) -> ParsedCrop | Forwarded | Dead:
    try:
        entry = read_crop_entry(delivery.fields)
    except MalformedMessage as error:
        return _dead(delivery, str(error))
    if entry.id.source != delivery.source:
        return _dead(delivery, "source: not the one whose stream this is")
    return ParsedCrop.of(entry) if isinstance(entry, Crop) else Forwarded(entry.fields())


def _reading(delivery: Delivery, crop: ParsedCrop, probabilities: bytes) -> Reading:
    stored_ms = delivery.stored_ms
    own = (*crop.values, probabilities)
    return Reading(own if stored_ms is None else (*own, stored_ms), stale=not probabilities)


def _dead(delivery: Delivery, reason: str) -> Dead:
    return Dead(delivery.entry.decode(), reason[:LONGEST_REASON], delivery.fields)
