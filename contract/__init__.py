"""The contract between the services: messages, events, keys, Redis, models and the base of every service."""
