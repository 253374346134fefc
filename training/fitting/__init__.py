"""Fitting a network: batches, callbacks, and a run folder to resume from."""
