"""Building and fitting the network."""

import keras
import tensorflow as tf
from rich.console import Console

from contract.model.folder import ModelFolder
from contract.model.openvino import core
from training.datasets.faces import DatasetError, Faces
from training.datasets.split import hold_out
from training.fitting.batches import Batches
from training.fitting.callbacks import Show, callbacks
from training.fitting.run import Run, waiting
from training.fitting.transfer import take_over
from training.networks import network
from training.networks.batch_normalization import BatchNormalization
from training.recipe import Recipe


def fit(
    faces: Faces, choosing: Faces, recipe: Recipe, run: Run, console: Console, start: ModelFolder | None = None
) -> keras.Model:
    """Train on `faces`, resuming `run`, and return the network of the best epoch in float32.

    The best epoch has the lowest loss on the share of `faces` that the recipe holds out, or else on `choosing`.
    A new run starts with the weights of `start`, if given.

    Raises:
        DatasetError: the weights of the best epoch are missing or damaged.
    """
    losses = run.losses()
    # A new seed for each start: the first epoch after a kill must not repeat the shuffles of epoch 0.
    keras.utils.set_random_seed(recipe.seed + len(losses))
    if len(losses) < recipe.epochs and not _stopped(losses, recipe):
        fitted, watched = hold_out(faces, recipe.held_out, recipe.seed) if recipe.held_out else (faces, choosing)
        model = _build(recipe)
        if start is not None:
            take_over(start, model, recipe.emotions)
        _run_epochs(model, fitted, watched, recipe, run, Show(recipe.epochs, len(losses), console))
    best = network.build(len(recipe.emotions))
    try:
        best.load_weights(run.best_weights)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(
            f"the run in {run.folder} is damaged ({run.best_weights.name} cannot be read): remove it"
        ) from error
    return best


def _stopped(losses: list[float], recipe: Recipe) -> bool:
    return recipe.schedule == "plateau" and waiting(losses)[1] >= recipe.stop_patience


def _build(recipe: Recipe) -> keras.Model:
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision if _has_bfloat16() else "float32")
    try:
        return network.build(len(recipe.emotions), BatchNormalization, recipe.dropout)
    finally:
        keras.config.set_dtype_policy(usual)


def _has_bfloat16() -> bool:
    """Whether this machine supports bfloat16 in hardware; emulated, a step takes several times as long."""
    if gpus := tf.config.list_physical_devices("GPU"):
        return bool(tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0)) >= (8, 0))
    return "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _run_epochs(model: keras.Model, fitted: Faces, watched: Faces, recipe: Recipe, run: Run, show: Show) -> None:
    batches = Batches(fitted, recipe, epoch=show.done)
    model.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # with XLA a step took nearly twice as long on a CPU
    )
    with show.bar:
        model.fit(
            batches,
            epochs=recipe.epochs,
            validation_data=(recipe.normalisation.apply(watched.images), watched.targets(recipe.votes)),
            validation_batch_size=256,
            callbacks=callbacks(recipe, run, show),
            verbose=0,
        )


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Adam, or AdamW with a cosine schedule that reaches zero after the last epoch of `steps`."""
    if recipe.schedule == "plateau":
        return keras.optimizers.Adam(recipe.learning_rate)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20,
        decay_steps=max(1, (recipe.epochs - 1) * steps),
        warmup_target=recipe.learning_rate,
        warmup_steps=steps,
    )
    # Averaged over at most a tenth of the run: over all of a short run, the average would stay near its start.
    momentum = min(recipe.averaging, 1 - 1 / max(1, recipe.epochs * steps / 10))
    averaging = {"use_ema": True, "ema_momentum": momentum} if recipe.averaging else {}
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    return optimizer
