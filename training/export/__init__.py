"""The model folder: the network in every format, its figures and its card."""
