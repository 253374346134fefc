"""Sends a recording through the workers and reads its outcomes."""
