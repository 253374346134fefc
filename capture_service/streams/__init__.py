"""Streams of the network: over HTTP and RTSP."""
