"""The command line: starts the services, or does a job with them."""
