"""Smoothed labels flicker at least five times less than raw ones, and follow a real change within half a second."""

import random
from statistics import quantiles

import pytest

from api_gateway.settings import GatewaySettings
from benchmarks.experiments.flicker import (
    CLEAR,
    MOODS,
    NOISES,
    Model,
    Noise,
    changes,
    delays_ms,
    noisy,
    raw_labels,
    smoothed_labels,
)
from contract.judgement import Thresholds
from postprocessing.parameters import SmoothingParameters

EIGHT = ("angry", "fear", "happy", "sad", "surprise", "neutral", "disgust", "contempt")
MODELS = {
    "with thresholds": Model(EIGHT, Thresholds(min_probability=0.84, min_margin=0.7, precision=0.95)),
    "with mild thresholds": Model(EIGHT[:5], Thresholds(min_probability=0.5, min_margin=0.1, precision=0.95)),
    "without": Model(EIGHT, None),
}
FOLLOWED_MS = 500


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


@pytest.mark.parametrize("noise", NOISES, ids=str)
def test_a_face_that_shows_one_emotion_flickers_at_least_five_times_less(noise: Noise, model: Model):
    minute = noisy(model, [2] * MOODS, noise, random.Random(7))
    raw, smoothed = changes(raw_labels(minute)), changes(smoothed_labels(minute, SmoothingParameters()))
    assert raw > 100 or model is not MODELS["with thresholds"], "that is no noise"
    assert smoothed <= raw / 5


@pytest.mark.parametrize("fps", [8, 25])
@pytest.mark.parametrize("noise", CLEAR, ids=str)
def test_a_change_of_expression_shows_within_half_a_second(noise: Noise, fps: int, model: Model):
    delays = delays_ms(model, noise, SmoothingParameters(), fps=fps)
    assert quantiles(delays, n=20)[-1] <= FOLLOWED_MS


def test_the_gateway_has_the_same_defaults():
    assert GatewaySettings().smoothing_parameters == SmoothingParameters()
