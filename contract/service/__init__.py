"""The base of every service: settings, logs, health, start and stop."""
