"""The capture of uploaded pictures."""
