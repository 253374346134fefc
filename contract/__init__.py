"""The contract between the services: messages, events, keys, Redis, models and what every service runs on."""
