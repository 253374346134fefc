"""Recipes: every decision about how a network is trained."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from contract.errors import SettingsError
from contract.model.labels import EMOTIONS_5, EMOTIONS_8
from contract.model.normalisation import Normalisation
from training.augmentation import Augmentation
from training.networks.dropout import DROPOUT


@dataclass(frozen=True)
class Recipe:
    """How to train. The defaults: Adam on majority labels, unchanged faces, early stopping on a plateau."""

    name: str
    emotions: tuple[str, ...] = EMOTIONS_5
    normalisation: Normalisation = field(default_factory=Normalisation)
    epochs: int = 50
    """The maximum with `schedule` "plateau"; early stopping usually ends the run before."""
    batch_size: int = 64
    learning_rate: float = 0.001
    schedule: Literal["plateau", "cosine"] = "plateau"
    """Lower the rate and stop on a plateau of the validation loss; or warm up for an epoch, then a cosine to zero."""
    stop_patience: int = 5
    """Epochs without a lower validation loss before training stops with the weights of the best epoch."""
    slow_patience: int = 3
    """Epochs without a lower validation loss before the learning rate is multiplied by `slow_factor`."""
    slow_factor: float = 0.1
    held_out: float = 0.1
    """Share of the training faces, stratified, that is used for the validation loss and never fitted. At 0 half A of
    the validation faces is used, which then chooses the epoch, so that only half B measures how good the network is."""
    augmentation: Augmentation | None = None
    votes: bool = False
    """Whether the targets are the shares of the taggers' votes, or 1 for their majority."""
    rare: float = 0.0
    """The weight of a face is the frequency of its emotion to the power of minus this: at 0 all faces have equal
    weight, at 1 all emotions do."""
    dropout: tuple[float, float] = DROPOUT
    """In the convolutions and in the dense layer."""
    weight_decay: float = 0.0
    """Of AdamW (Loshchilov and Hutter, 2019), on kernels alone."""
    averaging: float = 0.0
    """Momentum of the moving average of the weights that is validated and kept, less in short runs; 0 for none."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """Of the training step, if the machine supports it. Weights and exported networks are always float32."""
    seed: int = 2013

    def as_dict(self) -> dict[str, object]:
        """As values that JSON supports."""
        return {**asdict(self), "emotions": list(self.emotions), "normalisation": self.normalisation.model_dump()}


SEED = Recipe(name="seed")
"""The recipe of the first Emotii: no augmentation, majority labels, five emotions."""

EMOTII = Recipe(
    name="emotii",
    emotions=EMOTIONS_8,
    normalisation=Normalisation(scale=0.25, offset=0.5, standardise=True),
    epochs=40,
    schedule="cosine",
    held_out=0.0,
    augmentation=Augmentation(),
    votes=True,
    rare=0.25,
    weight_decay=0.05,
    averaging=0.998,
    precision="mixed_bfloat16",
)
"""The shares of the votes over eight emotions, on faces that are moved, relit, blurred and partly covered."""

CONTINUE = replace(
    EMOTII,
    name="continue",
    augmentation=Augmentation(dark=0.3),
    dropout=(0.1, 0.3),
)
"""To continue a model of `emotii`, which does not overfit: as many epochs again with less dropout and more dark
faces."""

FINISH = replace(
    EMOTII,
    name="finish",
    epochs=6,
    learning_rate=0.0005,
    augmentation=Augmentation(
        shift=0.05, rotation=8, zoom=0.08, gamma=0.1, contrast=0.1, dark=0.1, noise=0.05, soft=0.1, erasing=0.1
    ),
)
"""To finish a model of `emotii`: a few more epochs with less augmentation, so that the network ends on faces that are
nearly unchanged; for the same emotions or for others."""

RECIPES = {recipe.name: recipe for recipe in (SEED, EMOTII, CONTINUE, FINISH)}


def find_recipe(name: str, epochs: int | None = None) -> Recipe:
    """The recipe of this name, with this many `epochs` if they are given.

    Raises:
        SettingsError: there is no such recipe; the message lists the recipes.
    """
    try:
        recipe = RECIPES[name]
    except KeyError:
        raise SettingsError(f"no recipe called {name!r}; there are: {', '.join(RECIPES)}") from None
    return recipe if epochs is None else replace(recipe, epochs=epochs)
