"""Predictions for single pictures, without Redis."""
