"""The outcomes of an analysis and the files that hold them: CSV, JSON lines, episodes."""
