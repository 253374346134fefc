import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from contract.judgement import UNCERTAIN, Thresholds, judge
from contract.model.calibration import tempered
from contract.model.folder import ModelCard
from contract.model.labels import EMOTIONS_5, EMOTIONS_8, FER_PLUS_VOTES
from training.datasets.dataset import DatasetError, Faces
from training.evaluation.agreement import compare
from training.evaluation.calibrate import calibrated
from training.evaluation.calibration import fit_temperature, reliability
from training.evaluation.evaluate import evaluate, passes
from training.evaluation.faces import over, read_known
from training.evaluation.figures import draw_reliability
from training.evaluation.intervals import bootstrap
from training.evaluation.robustness import CONDITIONS
from training.evaluation.thresholds import answered, choose_thresholds

RNG = np.random.default_rng(7)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def honest(count: int = 20_000, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that mean what they say, and labels that were drawn by them."""
    rng = np.random.default_rng(3)
    probabilities = softmax(rng.normal(0, spread, (count, 5)))
    labels = (probabilities.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return probabilities, np.minimum(labels, 4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_distorted_calibrated_probabilities_is_found_again(temperature: float):
    probabilities, labels = honest()
    spoilt = tempered(probabilities, 1 / temperature)
    assert fit_temperature(spoilt, labels) == pytest.approx(temperature, rel=0.05)


def test_a_fitted_temperature_reduces_the_calibration_error_and_changes_no_answer():
    probabilities, labels = honest()
    sure = tempered(probabilities, 0.4)
    mended = tempered(sure, fit_temperature(sure, labels))
    assert reliability(sure, labels).error > 0.1
    assert reliability(mended, labels).error < 0.02
    assert (mended.argmax(axis=1) == sure.argmax(axis=1)).all()


def test_a_probability_of_zero_for_the_right_label_still_has_a_temperature():
    fitted = fit_temperature(np.array([[1, 0], [1, 0], [0, 1]], np.float32), np.array([0, 1, 1]))
    assert 1 < fitted <= 20


def test_the_calibration_error_is_the_mean_distance_of_confidence_and_accuracy():
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.3, 0.7]] * 6, np.float32)
    labels = np.array([0, 0, 0, 1] + [1] * 6)
    found = reliability(probabilities, labels, bins=10)
    assert found.faces.sum() == 10
    assert found.error == pytest.approx(0.4 * (0.9 - 0.75) + 0.6 * (1 - 0.7))


def test_full_confidence_falls_into_the_last_bin():
    found = reliability(np.array([[1.0, 0.0]], np.float32), np.array([0]), bins=4)
    assert found.faces.tolist() == [0, 0, 0, 1]


def test_chosen_thresholds_reach_their_precision_on_other_faces_and_answer_many():
    probabilities, labels = honest(spread=4)
    half = len(labels) // 2
    thresholds = choose_thresholds(probabilities[:half], labels[:half], 0.9)
    assert thresholds is not None
    found = answered(probabilities[half:], labels[half:], thresholds)
    everything = answered(probabilities[half:], labels[half:], None)
    assert everything.coverage == 1
    assert everything.precision < 0.85
    assert 0.89 < found.precision < 0.92, "no more faces are set aside than the precision requires"
    assert found.coverage > 0.6


def test_if_no_threshold_reaches_the_precision_there_is_none():
    probabilities = softmax(RNG.normal(0, 1, (500, 5)))
    assert choose_thresholds(probabilities, RNG.integers(0, 5, 500), 0.95) is None


def test_coverage_and_precision_are_those_of_the_judgements():
    probabilities, labels = honest(2000)
    thresholds = Thresholds(min_probability=0.6, min_margin=0.3, precision=0.9)
    answers = [judge(dict(zip(EMOTIONS_5, map(float, row), strict=True)), thresholds).emotion for row in probabilities]
    right = [
        EMOTIONS_5[label] == emotion for label, emotion in zip(labels, answers, strict=True) if emotion != UNCERTAIN
    ]
    found = answered(probabilities, labels, thresholds)
    assert found.coverage == pytest.approx(len(right) / 2000)
    assert found.precision == pytest.approx(sum(right) / len(right))


def test_without_answers_there_is_no_precision():
    found = answered(
        np.full((3, 2), 0.5, np.float32),
        np.zeros(3, np.int64),
        Thresholds(min_probability=1, min_margin=0, precision=0.9),
    )
    assert found.coverage == 0
    assert math.isnan(found.precision)


def test_a_bootstrap_interval_holds_the_figure_and_narrows_with_more_faces():
    def width(count: int) -> float:
        right = np.arange(count) % 5 > 0
        low, high = bootstrap(lambda rows: {"accuracy": right[rows].mean()}, count)["accuracy"]
        assert low < 0.8 < high
        return high - low

    # The normal approximation: 2 * 1.96 * sqrt(0.8 * 0.2 / n).
    assert width(100) == pytest.approx(0.157, rel=0.15)
    assert width(2500) == pytest.approx(0.0314, rel=0.15)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_worsens_every_face_and_is_deterministic(name: str):
    faces = RNG.integers(20, 236, (6, 48, 48), dtype=np.uint8)
    kept = faces.copy()
    worse = CONDITIONS[name](faces)
    assert (worse.shape, worse.dtype) == (faces.shape, np.uint8)
    assert (faces == kept).all()
    assert (worse != faces).any(axis=(1, 2)).all()
    assert (CONDITIONS[name](faces) == worse).all()


def test_two_stops_down_leaves_a_quarter_of_the_light_and_gamma_darkens_the_middle():
    gray = np.full((50, 48, 48), 128, np.uint8)
    dark = CONDITIONS["two stops down with noise"](gray)
    assert dark.mean() == pytest.approx(32, abs=0.2)
    assert dark.std() == pytest.approx(5, abs=0.2)
    assert CONDITIONS["gamma 2.5"](gray).mean() == round(255 * (128 / 255) ** 2.5)


def test_every_second_face_is_turned_in_the_other_direction():
    line = np.zeros((2, 48, 48), np.uint8)
    line[:, 23:25] = 255
    one, other = CONDITIONS["15 degrees"](line)
    assert np.abs(one.astype(int) - other[:, ::-1]).max() <= 10
    assert (one != other).any()


def test_engines_agree_if_their_answers_are_equal_and_not_if_one_fails():
    reference = softmax(RNG.normal(0, 3, (400, 5)))
    labels = reference.argmax(axis=1)
    assert compare(reference, reference + np.float32(5e-5), labels).holds("f32")
    assert not compare(reference, reference + np.float32(2e-4), labels).holds("f32")
    assert compare(reference, reference + np.float32(2e-4), labels).holds("bf16")
    swapped = reference.copy()
    swapped[:4] = np.roll(swapped[:4], 1, axis=1)
    found = compare(reference, swapped, labels)
    assert (found.same_top, found.accuracy_difference) == pytest.approx((0.99, -0.01))
    assert not found.holds("bf16")
    broken = reference.copy()
    broken[0, 0] = np.nan
    assert compare(reference, broken, labels).largest_difference == math.inf


def test_probabilities_are_scaled_to_the_emotions_that_the_data_has():
    probabilities = np.array([[0.1, 0.3, 0.6], [0.0, 0.0, 1.0]], np.float32)
    assert over(probabilities, ("happy", "sad", "neutral"), ("sad", "happy")) == pytest.approx(
        np.array([[0.75, 0.25], [0.5, 0.5]])
    )


def write_votes(path, labels: list[str]) -> None:
    votes = np.zeros((len(labels), 10), np.uint8)
    votes[np.arange(len(labels)), [FER_PLUS_VOTES.index(label) for label in labels]] = 10
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    np.savez(path, images=images, votes=votes)


def test_a_model_of_eight_emotions_is_measured_on_the_five_that_the_data_has(tmp_path):
    write_votes(tmp_path / "five.npz", [*EMOTIONS_5, "happy", "happy"])
    faces = read_known(tmp_path / "five.npz", EMOTIONS_8)
    assert faces.emotions == EMOTIONS_5
    assert faces.counts() == {"angry": 1, "fear": 1, "happy": 3, "sad": 1, "surprise": 1}


def test_a_model_of_five_emotions_is_not_shown_the_neutral_faces(tmp_path):
    write_votes(tmp_path / "eight.npz", [*EMOTIONS_8, "neutral"])
    assert len(read_known(tmp_path / "eight.npz", EMOTIONS_5)) == 5
    assert read_known(tmp_path / "eight.npz", EMOTIONS_8, only=("happy", "neutral")).counts() == {
        "happy": 1,
        "neutral": 2,
    }


def test_the_halves_of_a_set_share_no_face_and_make_up_the_whole(tmp_path):
    write_votes(tmp_path / "faces.npz", [*EMOTIONS_5] * 8)
    one, other = (read_known(tmp_path / "faces.npz", EMOTIONS_5, half=half) for half in ("a", "b"))
    pixels = [{image.tobytes() for image in faces.images} for faces in (one, other)]
    assert not pixels[0] & pixels[1]
    assert len(pixels[0] | pixels[1]) == 40


def test_data_of_other_emotions_is_refused_with_what_it_has(tmp_path):
    write_votes(tmp_path / "faces.npz", ["neutral", "neutral", "happy"])
    with pytest.raises(DatasetError, match="has faces for happy of"):
        read_known(tmp_path / "faces.npz", EMOTIONS_5)


@pytest.fixture
def marked() -> Faces:
    """Faces whose first pixel is their label."""
    labels = np.arange(60) % 5
    images = np.random.default_rng(1).integers(100, 156, (60, 48, 48), dtype=np.uint8)
    images[:, 0, 0] = labels
    return Faces(images, labels, EMOTIONS_5)


def knowing(images: np.ndarray) -> np.ndarray:
    """Reads the mark and returns probabilities of eight emotions; without a mark the answer is fear."""
    answers = np.where(images[:, 0, 0] < 5, images[:, 0, 0], 1)
    probabilities = np.full((len(images), 8), 0.04, np.float32)
    probabilities[np.arange(len(images)), answers] = 0.72
    return probabilities


CARD = ModelCard(
    name="m-8",
    version="1.0.0",
    labels=EMOTIONS_8,
    uncertain=Thresholds(min_probability=0.5, min_margin=0.2, precision=0.95),
    files={},
)


def test_a_report_names_what_programs_rely_on(marked: Faces):
    others = {"tensorflow f32": knowing, "openvino f32": lambda images: knowing(images) + np.float32(0.001)}
    report = evaluate(CARD, "openvino", "f32", knowing, marked, "some faces", others)
    found = json.loads(json.dumps(report.as_json(), allow_nan=False))

    assert (found["accuracy"], found["mean_recall"], found["macro_f1"], found["faces"]) == (1, 1, 1, 60)
    assert found["recall"] == dict.fromkeys(EMOTIONS_5, 1)
    assert found["ece"] == pytest.approx(1 - 0.72 / 0.88, abs=1e-5)
    assert found["answered"]["coverage"] == found["answered"]["precision"] == 1
    assert set(found["intervals"]) == {
        "accuracy",
        "mean_recall",
        "macro_f1",
        "ece",
        "answered_coverage",
        "answered_precision",
    }
    assert set(found["robustness"]) == set(CONDITIONS)
    assert found["robustness"]["gamma 2.5"]["accuracy"] == pytest.approx(0.2), "the mark becomes 0: all are angry"
    assert found["robustness"]["gamma 2.5"]["kept"] == pytest.approx(0.2)
    assert set(found["agreement"]) == {"openvino f32"}
    assert found["agreement"]["openvino f32"]["agrees"] is False


def test_the_tables_show_the_figures_and_a_bar_can_count_the_faces(marked: Faces):
    seen = []

    def counted(images: np.ndarray) -> np.ndarray:
        seen.append(len(images))
        return knowing(images)

    report = evaluate(CARD, "openvino", "f32", counted, marked, "some faces", {"openvino f32": counted})
    assert sum(seen) == passes({"openvino f32": counted}) * len(marked)

    output = io.StringIO()
    report.show(Console(file=output, width=120))
    for words in ("60 faces of some faces", "accuracy", "surprise", "JPEG 30", "100.0%"):
        assert words in output.getvalue()


def test_a_model_without_thresholds_always_answers(marked: Faces):
    bare = CARD.model_copy(update={"uncertain": None})
    found = evaluate(bare, "openvino", "f32", knowing, marked, "faces", {}).as_json()
    assert found["answered"] == {"coverage": 1.0, "precision": 1.0, "thresholds": None}
    assert found["agreement"] == {}


def test_a_calibrated_card_states_temperature_and_thresholds():
    probabilities, labels = honest()
    sure = tempered(probabilities, 0.5)
    card = calibrated(CARD, sure, labels, 0.9)
    assert card.temperature == pytest.approx(2, rel=0.05)
    assert answered(tempered(sure, card.temperature), labels, card.uncertain).precision >= 0.9
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_the_reliability_diagram_is_drawn(tmp_path):
    draw_reliability(reliability(*honest(200)), tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
