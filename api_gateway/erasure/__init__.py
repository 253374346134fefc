"""Erasing: what was seen by a source, in a span of time or ever, is removed wherever it is kept."""
