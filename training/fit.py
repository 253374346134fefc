"""Build the network and fit it."""

import keras
from rich.console import Console

from training import network
from training.callbacks import Show, callbacks
from training.dataset import Faces, hold_out
from training.recipe import Recipe
from training.run import Run, waiting


def fit(faces: Faces, recipe: Recipe, run: Run, console: Console) -> keras.Model:
    """Train on all `faces` but the held-out share, from where `run` stands, and return the best epoch's network."""
    losses = run.losses()
    # A new seed for each start: the first epoch after a kill must not repeat the shuffles of the very first one.
    keras.utils.set_random_seed(recipe.seed + len(losses))
    model = network.build(len(recipe.emotions))
    if len(losses) < recipe.epochs and waiting(losses)[1] < recipe.stop_patience:
        _run_epochs(model, faces, recipe, run, Show(recipe.epochs, len(losses), console))
    model.load_weights(run.best_weights)
    return model


def _run_epochs(model: keras.Model, faces: Faces, recipe: Recipe, run: Run, show: Show) -> None:
    fitted, watched = hold_out(faces, recipe.held_out, recipe.seed)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # with XLA a step took nearly twice as long on a CPU
    )
    with show.bar:
        model.fit(
            recipe.normalisation.apply(fitted.images),
            fitted.labels,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_data=(recipe.normalisation.apply(watched.images), watched.labels),
            callbacks=callbacks(recipe, run, show),
            verbose=0,
        )
