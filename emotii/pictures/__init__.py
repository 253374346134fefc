"""Predictions for pictures, without Redis."""
