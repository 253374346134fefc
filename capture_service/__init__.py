"""Captures sources: frames in; faces, tracks and 48 x 48 crops out."""
