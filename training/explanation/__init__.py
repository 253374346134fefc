"""Explaining the answer of a network for one face. It needs TensorFlow for the activations between input and output."""
