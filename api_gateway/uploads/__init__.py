"""Uploaded pictures and recordings."""
