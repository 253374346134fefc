"""Benchmarks of Emotii: one module per question, run by `make bench`, and scripts that settled single choices."""
