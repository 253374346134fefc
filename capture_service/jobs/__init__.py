"""Lossless jobs: every face of every frame of a recording."""
