"""The results of benchmarks: as a table, as JSON, as plots, on a page."""
