"""Captures sources: from frames to faces, tracks and 48 x 48 crops."""
