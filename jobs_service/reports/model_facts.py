"""What a report tells of the model: what was measured of it, and the limits that its card states."""

import re
from dataclasses import dataclass

import structlog

from contract.errors import ModelError
from contract.model.folder import ModelFolder, find_model

logger = structlog.get_logger(__name__)
CARD = "README.md"
_LIMITS = re.compile(r"^## Limits\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^- (.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model here; of one that only the workers have, little."""

    id: str
    """`name@version`."""
    labels: tuple[str, ...]
    scores: dict[str, float]
    """As `model.json` has them; empty if it is not here."""
    precision: float | None
    """The share of right answers for which it says "uncertain" below; None if it never does."""
    limits: tuple[str, ...]
    """Sentences of its card."""

    @property
    def recalls(self) -> dict[str, float]:
        """Label -> share of the faces of this emotion that it reads as such."""
        found = {label: self.scores.get(f"recall_{label}") for label in self.labels}
        return {label: recall for label, recall in found.items() if recall is not None}


def model_facts(model: str, labels: tuple[str, ...], configured: str) -> ModelFacts:
    """The facts of a model that took part.

    Args:
        model: its `name@version`, as the readings say.
        labels: as the readings have them.
        configured: the model of the settings, a name or a folder, which may be the one.
    """
    for where in (model.partition("@")[0], configured):
        try:
            folder = find_model(where)
        except ModelError as error:
            logger.debug("no facts of the model", model=model, error=str(error))
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
        logger.debug("the model has no card", model=folder.card.id, error=str(error))
        return ()
    found = _LIMITS.search(card)
    return tuple(" ".join(item.split()) for item in _ITEM.findall(found[1])) if found else ()
