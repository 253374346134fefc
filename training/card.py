"""The model card: what a model is for, how it was made and how well it reads, with Hugging Face front matter."""

import json
import math

from contract.model import ModelCard
from training.scores import Scores
from training.trained import Trained

FER_PLUS = (
    "The faces are FER2013 images (Goodfellow et al., 2013), collected from the web for a research challenge and not "
    "licensed picture by picture: they are for research use. The labels are the majority of the FER+ votes "
    "(Barsoum et al., 2016; MIT licence). What this allows for the weights is said in `LICENSE-MODELS.md` of the "
    "project."
)
OWN_FACES = "The faces are the ones that were given. Whoever trained this model knows what their licence allows."

_CARD = """\
---
license: other
license_name: see-the-card
pipeline_tag: image-classification
library_name: keras
tags:
- facial-expression-recognition
- onnx
- openvino
model-index:
- name: {name}
  results:
  - task:
      type: image-classification
    dataset:
      name: {scored_on_quoted}
      type: faces
    metrics:
    - type: accuracy
      value: {accuracy:.4f}
    - type: recall
      name: mean class recall
      value: {mean_recall:.4f}
---

# {id}

Reads the expression of one face: {labels}. {parameters:,} parameters; made by Emotii with the recipe `{recipe_name}`.

| | |
|---|---|
| input | `face` (batch, 48, 48, 1) float32: gray, pixel x {scale:.6g} + {offset:g} |
| output | `probabilities` (batch, {classes}) float32, a softmax in the order of `labels` in `model.json` |
{files}

## How well it reads

Measured on {scored_on}, which took no part in training and chose nothing. Some of its faces can be,
pixel for pixel, training faces too (FER2013 holds many pictures twice); the second line leaves those out.

| faces | | accuracy | mean of the class recalls |
|---|---|---|---|
| all | {faces:,} | **{accuracy:.1%}** | **{mean_recall:.1%}** |
| without copies of training faces | {new_faces:,} | {new_accuracy:.1%} | {new_mean_recall:.1%} |

Of all:

| emotion | faces | recall | precision |
|---|---|---|---|
{per_emotion}

![confusion matrix](confusion.png)

## How it was made

Trained on {trained_on}. A stratified {held_out:.0%} of them was held out to decide when to stop and when to slow down;
the weights are those of epoch {kept} of {epochs}, the one with the lowest loss on the faces held out. On those the
accuracy was {held_out_accuracy:.1%}; on the fitted ones, with dropout on and the weights still moving, it was
{fitted_accuracy:.1%}.

![curves](curves.png)

```json
{recipe}
```

## Data and licence

{licence}

## Limits

- It says which of {classes} expressions a tagger would most likely have named, never what a person feels.
- It always names one of them: a resting face, or any other expression, is forced into one of the {classes}.
- The probabilities are as the network gives them, not calibrated (temperature {temperature:g}).
- Recall differs much between emotions (see the table); the rare ones are read worst.
- How well it reads people of a particular age, skin colour, sex or origin was not measured; expect it to differ.
- It expects faces framed and lit as in its training pictures: one that is cut tighter, dark, blurred or turned away is
  read worse.

## Use

Meant for: research, teaching, demonstrations, art, interfaces whose users have chosen it and can see that it runs.

Not for: inferring emotions of people at work or in education, which the EU prohibits (AI Act, Article 5(1)(f); medical
and safety reasons are excepted); judging honesty, health, ability or intent; any decision about a person. Where emotion
recognition is allowed, the people exposed to it must be told (AI Act, Article 50(3)).
"""


def card(model: ModelCard, trained: Trained, sizes: dict[str, int]) -> str:
    """The text of the model's README.md; `sizes` are bytes of the files that engines read."""
    recipe, scores, new = trained.recipe, trained.scores, trained.scores_without_copies
    kept = trained.history[trained.kept]
    return _CARD.format(
        name=model.name,
        id=model.id,
        labels=", ".join(model.labels),
        classes=len(model.labels),
        parameters=trained.network.count_params(),
        temperature=model.temperature,
        files=_files(model, sizes),
        recipe_name=recipe.name,
        recipe=json.dumps(recipe.as_dict(), indent=2),
        scale=recipe.normalisation.scale,
        offset=recipe.normalisation.offset,
        held_out=recipe.held_out,
        kept=trained.kept + 1,
        epochs=len(trained.history),
        held_out_accuracy=kept["val_accuracy"],
        fitted_accuracy=kept["accuracy"],
        faces=scores.faces,
        accuracy=scores.accuracy,
        mean_recall=scores.mean_recall,
        new_faces=new.faces,
        new_accuracy=new.accuracy,
        new_mean_recall=new.mean_recall,
        per_emotion=_per_emotion(scores),
        trained_on=trained.trained_on,
        scored_on=trained.scored_on,
        scored_on_quoted=json.dumps(trained.scored_on),
        licence=trained.licence,
    )


def _files(model: ModelCard, sizes: dict[str, int]) -> str:
    return "\n".join(f"| `{name}` | {size:,} bytes, SHA-256 `{model.files[name]}` |" for name, size in sizes.items())


def _per_emotion(scores: Scores) -> str:
    return "\n".join(
        f"| {emotion} | {faces:,} | {_percent(scores.recall[emotion])} | {_percent(scores.precision[emotion])} |"
        for emotion, faces in zip(scores.emotions, scores.confusion.sum(axis=1), strict=True)
    )


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{share:.1%}"
