"""The capture of live sources."""
