"""Node.js, for what runs in it as well as in browsers."""

import functools
import shutil
import subprocess

import pytest

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no node on PATH")


@functools.cache
def node() -> tuple[str, ...]:
    """The command that runs a module: the older versions keep their WebSocket behind an option."""
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return ("node",) if int(told.strip().lstrip("v").split(".")[0]) >= 22 else ("node", "--experimental-websocket")
