"""What a capture process sends to Redis: crops, frames, its registration."""
