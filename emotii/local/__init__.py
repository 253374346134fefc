"""Processes, ports, folders and the private server on this machine."""
