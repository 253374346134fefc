"""Erasures: what a source saw, in a span of time or ever, is removed wherever it is kept."""
