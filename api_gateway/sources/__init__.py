"""The sources and workers that report themselves, and the sources that people add."""
