"""The network in 8-bit integers, as OpenVINO keeps it: two files of the model folder."""

XML, BIN = "-int8.xml", "-int8.bin"
"""How their names end: the network, and its weights."""
