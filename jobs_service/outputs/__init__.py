"""The files of an analysis: CSV, JSON lines, episodes."""
