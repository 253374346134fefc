"""Frames: buffered, annotated, rendered, and streamed as MJPEG."""
