"""Draws on pictures and hides faces in them."""
