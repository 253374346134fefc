"""The model card: purpose, training and scores of a model, with Hugging Face front matter."""

import json
import math
from pathlib import Path

from contract.model.folder import ModelCard
from contract.model.normalisation import LEAST_SPREAD, Normalisation
from training.evaluation.agreement import Agreement
from training.evaluation.report import Report
from training.evaluation.scores import Scores
from training.export.training_result import TrainingResult

FER_PLUS = (
    "The faces are FER2013 images (Goodfellow et al., 2013), collected from the web for a research challenge and not "
    "licensed picture by picture: they are for research use. The labels are the FER+ votes (Barsoum et al., "
    "2016; MIT licence). What this allows for the weights is said in `LICENSE-MODELS.md` of the "
    "project."
)
OWN_FACES = "The faces are the ones that were given. Whoever trained this model knows what their licence allows."

CARD_FILE = "README.md"
_CARD = Path(__file__).with_name("card.md")
"""The template of the card."""


_WORDS = {
    "accuracy": "accuracy",
    "mean_recall": "mean of the class recalls",
    "macro_f1": "macro F1",
    "ece": "expected calibration error",
    "answered_coverage": "share that is answered, not *uncertain*",
    "answered_precision": "share of those answers that is right",
}


def card(model: ModelCard, trained: TrainingResult, report: Report, sizes: dict[str, int]) -> str:
    """The text of the model's README.md; `sizes` are bytes of the files that engines read."""
    recipe, scores = trained.recipe, trained.scores
    kept = trained.history[trained.kept]
    return _CARD.read_text(encoding="utf-8").format(
        name=model.name,
        id=model.id,
        labels=", ".join(model.labels),
        classes=len(model.labels),
        parameters=trained.network.count_params(),
        files=_files(model, sizes),
        recipe_name=recipe.name,
        recipe=json.dumps(recipe.as_dict(), indent=2),
        normalisation=_normalisation(model.normalisation),
        beginning=f"beginning with the weights of {trained.start}" if trained.start else "from scratch",
        before=f" (what {trained.start} had seen before is not known here)" if trained.start else "",
        watched=_watched(recipe.held_out),
        kept=trained.kept + 1,
        epochs=len(trained.history),
        held_out_accuracy=kept["val_accuracy"],
        fitted_accuracy=kept["accuracy"],
        accuracy=scores.accuracy,
        mean_recall=scores.mean_recall,
        overall=_overall(report),
        per_emotion=_per_emotion(scores),
        calibration=calibration(model),
        robustness=_robustness(report),
        forced=_forced(model),
        trained_on=trained.trained_on,
        scored_on=trained.scored_on,
        scored_on_quoted=json.dumps(trained.scored_on),
        licence=trained.licence,
    )


def _files(model: ModelCard, sizes: dict[str, int]) -> str:
    return "\n".join(f"| `{name}` | {size:,} bytes, SHA-256 `{model.files[name]}` |" for name, size in sizes.items())


def _normalisation(normalisation: Normalisation) -> str:
    if not normalisation.standardise:
        return f"pixel x {normalisation.scale:.6g} + {normalisation.offset:g}"
    standardised = f"(pixel - mean of the crop) / max(its standard deviation, {LEAST_SPREAD:g})"
    return f"{standardised} x {normalisation.scale:g} + {normalisation.offset:g}"


def _watched(held_out: float) -> str:
    if held_out:
        return f"a stratified {held_out:.0%} of them that was never fitted"
    return "half A of the validation faces, which chooses and never reports"


def _overall(report: Report) -> str:
    measured = {
        "accuracy": report.scores.accuracy,
        "mean_recall": report.scores.mean_recall,
        "macro_f1": report.scores.macro_f1,
        "ece": report.reliability.error,
        "answered_coverage": report.answered.coverage,
        "answered_precision": report.answered.precision,
    }
    return "\n".join(
        f"| {_WORDS[name]} | {_percent(figure)} | {' to '.join(map(_percent, report.intervals[name]))} |"
        for name, figure in measured.items()
    )


def _robustness(report: Report) -> str:
    clean = report.scores.accuracy
    return "\n".join(
        f"| {condition} | {worse.accuracy:.1%} | {_percent(worse.accuracy / clean if clean else math.nan)} |"
        for condition, worse in report.robustness.items()
    )


def recalibrated(text: str, before: ModelCard, after: ModelCard) -> str:
    """The text of a card after a change of temperature and thresholds, with a note that the figures are older."""
    return text.replace(_LATER, "").replace(calibration(before), calibration(after) + _LATER)


_LATER = " (Chosen anew, on other faces, after the figures above were measured.)"


def calibration(model: ModelCard) -> str:
    """The choices on half A: the temperature, and the thresholds of answers."""
    words = f"The probabilities are scaled with temperature {model.temperature:g}, fitted to half A."
    if model.uncertain is None:
        return words + " No threshold reached the wanted precision there, so it always answers."
    return words + (
        f" It answers from a probability of {model.uncertain.min_probability:g} and a lead of "
        f"{model.uncertain.min_margin:g} on and is *uncertain* below: chosen on half A for "
        f"{model.uncertain.precision:.0%} right answers."
    )


def in_integers(text: str, model: ModelCard, sizes: dict[str, int], agreement: Agreement) -> str:
    """The text of a card of a model that also has its network in 8-bit integers.

    Args:
        text: of the card; its old lines about integers are removed.
        model: with the files of the integers.
        sizes: of these files in bytes.
        agreement: of the integers with 32-bit floats.
    """
    lines = [
        _files(model, sizes),
        "| `-int8` | all layers but the first and the last in 8-bit integers, by NNCF's post-training quantisation. The"
        f" same emotion as in 32-bit floats for {agreement.same_top:.1%} of the faces that decided whether it is kept,"
        f" accuracy {100 * agreement.accuracy_difference:+.1f} points |",
    ]
    kept = [line for line in text.splitlines() if "-int8" not in line]
    onnx = f"| `{model.name}.onnx`"
    place = next((number for number, line in enumerate(kept, 1) if line.startswith(onnx)), len(kept))
    return "\n".join([*kept[:place], *lines, *kept[place:]]) + "\n"


def _forced(model: ModelCard) -> str:
    if "neutral" in model.labels:
        return f"Any expression that is none of the {len(model.labels)} is read as one of them, or as uncertain."
    return (
        "It has no neutral: a resting face, or any other expression, is read as one of the "
        f"{len(model.labels)}, or as uncertain."
    )


def _per_emotion(scores: Scores) -> str:
    return "\n".join(
        f"| {emotion} | {faces:,} | {_percent(scores.recall[emotion])} | {_percent(scores.precision[emotion])} |"
        for emotion, faces in zip(scores.emotions, scores.confusion.sum(axis=1), strict=True)
    )


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{share:.1%}"
