"""The processes of the capture service: one for each source."""
