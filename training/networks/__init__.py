"""The network and its layers."""
