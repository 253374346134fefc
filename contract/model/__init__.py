"""The model: its folder, and how a face becomes its input."""
