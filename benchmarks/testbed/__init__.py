"""What runs in a benchmark: services, generated load, simulated clients."""
