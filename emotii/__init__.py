"""The command line: starts the services, or does one task with them."""
