import numpy as np
import pytest

from tests.lazy import LazyModule

keras = LazyModule("keras")
network = LazyModule("training.networks.network")
batch_normalization = LazyModule("training.networks.batch_normalization")


def test_the_network_has_the_stated_number_of_parameters_at_five_classes():
    assert network.build(5).count_params() == 883_173


def test_only_the_last_layer_depends_on_the_number_of_classes():
    five, eight = network.build(5), network.build(8)

    differing = [
        (a.name, b.name)
        for a, b in zip(five.layers, eight.layers, strict=True)
        if [w.shape for w in a.weights] != [w.shape for w in b.weights]
    ]

    assert differing == [("probabilities", "probabilities")]


def test_the_layers_have_the_documented_order():
    kinds = [type(layer).__name__ for layer in network.build(5).layers]

    convolution = ["Conv2D", "BatchNormalization", "ReLU"]
    assert kinds == [
        "InputLayer",
        *convolution * 2,
        "MaxPooling2D",
        *convolution * 2,
        "MaxPooling2D",
        "Dropout",
        *convolution,
        "MaxPooling2D",
        *convolution,
        "MaxPooling2D",
        "Flatten",
        "Dense",
        "BatchNormalization",
        "ReLU",
        "Dropout",
        "Dense",
    ]
    layers = network.build(5).layers
    assert [layer.filters for layer in layers if hasattr(layer, "filters")] == [32, 32, 64, 64, 128, 128]
    assert [layer.rate for layer in layers if hasattr(layer, "rate")] == [0.3, 0.5]
    assert all(layer.use_bias and layer.padding == "same" for layer in layers if hasattr(layer, "filters"))


def test_the_output_is_a_probability_for_each_class():
    faces = np.random.default_rng(0).random((3, 48, 48, 1), np.float32)

    probabilities = network.build(5)(faces).numpy()

    assert probabilities.shape == (3, 5)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert probabilities.min() > 0


def test_batch_normalisation_in_one_kernel_gives_the_weights_of_that_of_keras():
    faces = np.random.default_rng(0).normal(3, 2, (8, 6, 6, 4)).astype(np.float32)
    one_kernel, of_keras = batch_normalization.BatchNormalization(), keras.layers.BatchNormalization()

    outputs = [layer(faces, training=True).numpy() for layer in (one_kernel, of_keras)]

    assert outputs[0] == pytest.approx(outputs[1], abs=1e-5)
    # It divides by one face less, as is right for a sample, and as Keras did before its version 3.
    assert one_kernel.moving_variance.numpy() == pytest.approx(of_keras.moving_variance.numpy(), rel=1e-3)
    assert one_kernel.moving_mean.numpy() == pytest.approx(of_keras.moving_mean.numpy(), rel=1e-5)
    assert one_kernel(faces).numpy() == pytest.approx(of_keras(faces).numpy(), rel=1e-3)
