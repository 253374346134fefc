"""A recording sent through the workers, and its outcomes read back."""
