"""Dropout rates of the network. They have a module of their own, so that recipes are read without TensorFlow."""

DROPOUT = (0.3, 0.5)
"""Of the convolutions and of the dense layer."""
