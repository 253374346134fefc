"""Connections to the gateway: how many there may be, and how much and how long a request may take to arrive."""
