"""The demo clip `demo.mp4`, its attribution and the script that made it."""
