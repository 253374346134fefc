"""Labelled faces: read, downloaded, split without near duplicates."""
