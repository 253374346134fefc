"""What every service runs on: settings, logs, health, start and stop."""
