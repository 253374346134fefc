"""Publishes crops, frames and the registration of a source to Redis."""
