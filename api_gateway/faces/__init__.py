"""Saved faces: taken from frames, stored as files, removed when they are old."""
