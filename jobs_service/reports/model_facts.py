"""What a report states about the model: its measured scores, and the limits that its card lists."""

import re
from dataclasses import dataclass

import structlog

from contract.errors import ModelError, reason_of
from contract.model.folder import ModelFolder, find_model

logger = structlog.get_logger(__name__)
CARD = "README.md"
_LIMITS = re.compile(r"^## Limits\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^- (.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ModelFacts:
    """What this machine knows about a model; of a model that only the workers have, only its labels."""

    id: str
    """`name@version`."""
    labels: tuple[str, ...]
    scores: dict[str, float]
    """The scores in `model.json`; empty if the model is not on this machine."""
    precision: float | None
    """The share of correct answers that its thresholds for "uncertain" were chosen for; None if it has none."""
    limits: tuple[str, ...]
    """Sentences from its card."""

    @property
    def recalls(self) -> dict[str, float]:
        """Label -> share of the faces with this emotion that the model classifies correctly."""
        found = {label: self.scores.get(f"recall_{label}") for label in self.labels}
        return {label: recall for label, recall in found.items() if recall is not None}


def model_facts(model: str, labels: tuple[str, ...], configured: str) -> ModelFacts:
    """The facts about a model that the workers used.

    Args:
        model: its `name@version`, from the readings.
        labels: its labels, from the readings.
        configured: the configured model, a name or a folder; it may be the same model.
    """
    for where in (model.partition("@")[0], configured):
        try:
            folder = find_model(where)
        except ModelError as error:
            logger.debug("no facts about the model", model=model, error=reason_of(error))
            continue
        if folder.card.id == model:
            uncertain = folder.card.uncertain
            precision = uncertain.precision if uncertain else None
            return ModelFacts(model, labels, dict(folder.card.scores), precision, _limits(folder))
    return ModelFacts(model, labels, {}, None, ())


def _limits(folder: ModelFolder) -> tuple[str, ...]:
    try:
        card = (folder.folder / CARD).read_text(encoding="utf-8")
    except OSError as error:
        logger.debug("the model has no card", model=folder.card.id, error=reason_of(error))
        return ()
    found = _LIMITS.search(card)
    return tuple(" ".join(item.split()) for item in _ITEM.findall(found[1])) if found else ()
