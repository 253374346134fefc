import json
import math

import numpy as np
import pytest

from training.evaluation.scores import Scores, score
from training.export.figures import draw_confusion, draw_curves

EMOTIONS = ("angry", "fear", "happy")
PNG = b"\x89PNG"


def read_as(*positions: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(positions)] * 0.7 + 0.1


@pytest.fixture
def scores() -> Scores:
    """Four angry faces of which one is missed, one fear that is missed, five happy that are all found."""
    labels = np.array([0, 0, 0, 0, 1, 2, 2, 2, 2, 2])
    return score(read_as(0, 0, 0, 2, 0, 2, 2, 2, 2, 2), labels, EMOTIONS)


def test_the_confusion_matrix_has_a_row_per_label_and_a_column_per_answer(scores):
    assert scores.confusion.tolist() == [[3, 0, 1], [1, 0, 0], [0, 0, 5]]


def test_accuracy_is_the_share_of_faces_and_mean_recall_that_of_emotions(scores):
    assert scores.accuracy == pytest.approx(8 / 10)
    assert scores.recall == pytest.approx({"angry": 3 / 4, "fear": 0, "happy": 1})
    assert scores.mean_recall == pytest.approx((3 / 4 + 0 + 1) / 3)


def test_precision_of_an_emotion_without_answers_is_not_a_number(scores):
    assert scores.precision["angry"] == pytest.approx(3 / 4)
    assert scores.precision["happy"] == pytest.approx(5 / 6)
    assert math.isnan(scores.precision["fear"])


def test_the_f1_score_is_the_harmonic_mean_and_zero_without_answers(scores):
    assert scores.f1 == pytest.approx({"angry": 3 / 4, "fear": 0, "happy": 2 * (5 / 6) / (1 + 5 / 6)})
    assert scores.macro_f1 == pytest.approx(np.mean(list(scores.f1.values())))


def test_an_emotion_without_faces_does_not_count_in_the_mean_recall():
    scores = score(read_as(0, 2, 2), np.array([0, 2, 0]), EMOTIONS)

    assert math.isnan(scores.recall["fear"])
    assert scores.mean_recall == pytest.approx((1 / 2 + 1) / 2)


def test_the_figures_can_be_written_as_json_and_leave_out_what_has_no_value(scores):
    figures = json.loads(json.dumps(scores.figures(), allow_nan=False))

    assert figures["faces"] == 10
    assert figures["accuracy"] == 0.8
    assert figures["recall_fear"] == 0
    assert "precision_fear" not in figures


@pytest.mark.parametrize(("probabilities", "labels"), [(read_as(), []), (read_as(0, 1), [0]), (read_as(0)[:, :2], [0])])
def test_probabilities_that_do_not_match_the_labels_are_refused(probabilities, labels):
    with pytest.raises(ValueError, match="probabilities"):
        score(probabilities, np.array(labels, np.int64), EMOTIONS)


def test_both_pictures_are_drawn(tmp_path, scores):
    epoch = {"accuracy": 0.5, "loss": 1.0, "val_accuracy": 0.4, "val_loss": 1.1}

    draw_confusion(scores, tmp_path / "confusion.png")
    draw_curves([epoch, epoch], tmp_path / "curves.png")

    assert (tmp_path / "confusion.png").read_bytes().startswith(PNG)
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)
