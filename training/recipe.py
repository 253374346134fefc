"""Recipes: everything that decides how a network is trained, in one readable place."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from contract.errors import SettingsError
from contract.model.labels import EMOTIONS_5, EMOTIONS_8
from contract.model.normalisation import Normalisation
from training.augmentation import Augmentation
from training.networks.network import DROPOUT


@dataclass(frozen=True)
class Recipe:
    """How to train. What is not said otherwise is Adam on majority labels, unchanged faces, stopping on a plateau."""

    name: str
    emotions: tuple[str, ...] = EMOTIONS_5
    normalisation: Normalisation = field(default_factory=Normalisation)
    epochs: int = 50
    """With `schedule` "plateau" at most; early stopping usually ends the run before."""
    batch_size: int = 64
    learning_rate: float = 0.001
    schedule: Literal["plateau", "cosine"] = "plateau"
    """Slow down and stop when the watched loss does; or warm up for an epoch, then fall to zero on a cosine."""
    stop_patience: int = 5
    """Epochs without a lower watched loss before training stops and the best epoch's weights are taken."""
    slow_patience: int = 3
    """Epochs without a lower watched loss before the learning rate is multiplied by `slow_factor`."""
    slow_factor: float = 0.1
    held_out: float = 0.1
    """Share of the training faces, stratified, that is watched and never fitted; 0 to watch half A of the validation
    faces, which then choose the epoch, so that only half B says how good the network is."""
    augmentation: Augmentation | None = None
    votes: bool = False
    """Whether the network should answer as the taggers' votes are shared out, or all for their majority."""
    rare: float = 0.0
    """Faces count by the frequency of their emotion to the power of minus this: 0 the same, 1 by emotion."""
    dropout: tuple[float, float] = DROPOUT
    """In the convolutions and in the dense layer."""
    weight_decay: float = 0.0
    """Of AdamW (Loshchilov and Hutter, 2019), on kernels alone."""
    averaging: float = 0.0
    """Momentum of the moving average of the weights that is watched and kept, less in short runs; 0 for no average."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """Of the training step, where the machine has it. The weights, and what is exported, are always float32."""
    seed: int = 2013

    def as_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
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
"""The votes as they were given, over eight emotions, on faces that are moved, relit, blurred and covered."""

CONTINUE = replace(
    EMOTII,
    name="continue",
    augmentation=Augmentation(dark=0.3),
    dropout=(0.1, 0.3),
)
"""To begin with a model that `emotii` made, which fits the faces it was shown no better than others: as many epochs
again with less dropout, and more of the faces in the dark."""

FINISH = replace(
    EMOTII,
    name="finish",
    epochs=6,
    learning_rate=0.0005,
    augmentation=Augmentation(
        shift=0.05, rotation=8, zoom=0.08, gamma=0.1, contrast=0.1, dark=0.1, noise=0.05, soft=0.1, erasing=0.1
    ),
)
"""To begin with a model that `emotii` made: a few more epochs in which faces are changed less, so that the network ends
on faces much as they are; for the same emotions or for others."""

RECIPES = {recipe.name: recipe for recipe in (SEED, EMOTII, CONTINUE, FINISH)}


def find_recipe(name: str, epochs: int | None = None) -> Recipe:
    """The recipe of this name, with this many `epochs` if they are given.

    Raises:
        SettingsError: there is none; the message lists the names that there are.
    """
    try:
        recipe = RECIPES[name]
    except KeyError:
        raise SettingsError(f"no recipe called {name!r}; there are: {', '.join(RECIPES)}") from None
    return recipe if epochs is None else replace(recipe, epochs=epochs)
