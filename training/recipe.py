"""Recipes: everything that decides how a network is trained, in one readable place."""

from dataclasses import asdict, dataclass, field

from contract.errors import SettingsError
from contract.labels import EMOTIONS_5
from contract.normalisation import Normalisation


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam on sparse categorical cross-entropy, watched on a share of faces that is held out."""

    name: str
    emotions: tuple[str, ...] = EMOTIONS_5
    normalisation: Normalisation = field(default_factory=Normalisation)
    epochs: int = 50
    """At most; early stopping usually ends the run before."""
    batch_size: int = 64
    learning_rate: float = 0.001
    stop_patience: int = 5
    """Epochs without a lower held-out loss before training stops and the best epoch's weights are taken."""
    slow_patience: int = 3
    """Epochs without a lower held-out loss before the learning rate is multiplied by `slow_factor`."""
    slow_factor: float = 0.1
    held_out: float = 0.1
    """Share of the training faces, stratified, that steers stopping and learning rate and is never fitted."""
    seed: int = 2013

    def as_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {**asdict(self), "emotions": list(self.emotions), "normalisation": self.normalisation.model_dump()}


SEED = Recipe(name="seed")
"""The recipe of the first Emotii: no augmentation, majority labels, five emotions."""

RECIPES = {recipe.name: recipe for recipe in (SEED,)}


def find_recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        SettingsError: there is none; the message lists the names that there are.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise SettingsError(f"no recipe called {name!r}; there are: {', '.join(RECIPES)}") from None
