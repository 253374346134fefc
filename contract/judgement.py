"""The judgement on a face: the emotion that the probabilities support, or *uncertain* if they support none.

The one definition for the gateway, `emotii predict`, `emotii analyze` and the evaluation of models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

UNCERTAIN = "uncertain"
"""Reported in place of an emotion, so no model may have a label of this name."""

Probabilities = dict[str, float]
"""By label; they sum to 1."""

Share = Annotated[float, Field(ge=0, le=1)]


class Thresholds(BaseModel):
    """The thresholds of a certain judgement, as `model.json` states them and every reading carries them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_probability: Share
    """The least probability of the likeliest emotion."""
    min_margin: Share
    """The least lead over the second likeliest."""
    precision: Share
    """The precision for which the two were chosen, on faces that took no part in the training."""

    def met_by(self, first: Any, second: Any) -> Any:  # noqa: ANN401 - one rule for one face and for many
        """Whether the two highest probabilities support an emotion: floats give a bool, arrays (n,) an array (n,)."""
        return (first >= self.min_probability) & (first - second >= self.min_margin)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The emotion of one face, or that it is uncertain."""

    emotion: str
    """A label of the model, or `UNCERTAIN`."""
    confidence: float
    """The highest probability, in percent with one decimal."""
    between: tuple[str, ...] = ()
    """The two likeliest labels if it is uncertain, the likelier first; otherwise empty."""

    @property
    def certain(self) -> bool:
        return not self.between

    @property
    def words(self) -> str:
        """For people: the emotion, or "fear or surprise"."""
        return " or ".join(self.between) if self.between else self.emotion


def judge(probabilities: Mapping[str, float], thresholds: Thresholds | None) -> Judgement:
    """The judgement on at least one probability by label; without thresholds the likeliest label is always certain."""
    ranked = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    first, *others = ranked
    confidence = round(probabilities[first] * 100, 1)
    if thresholds is None or not others or thresholds.met_by(probabilities[first], probabilities[others[0]]):
        return Judgement(first, confidence)
    return Judgement(UNCERTAIN, confidence, (first, others[0]))
