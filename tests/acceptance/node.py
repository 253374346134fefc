"""Node.js, for modules that run in browsers and in Node.js."""

import functools
import shutil
import subprocess

import pytest

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no node on PATH")


@functools.cache
def node() -> tuple[str, ...]:
    """The command that runs a module; older versions need an option for `WebSocket`."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return ("node",) if int(version.strip().lstrip("v").split(".")[0]) >= 22 else ("node", "--experimental-websocket")
