"""What the services agree on: messages, stream names, labels, preprocessing, models, Redis, clock and lifecycle."""
