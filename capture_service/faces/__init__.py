"""Finds the faces of a frame: detects or follows, tracks, cuts and rates them."""
