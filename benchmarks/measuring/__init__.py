"""Timing, resource usage of processes, and what the machine is."""
