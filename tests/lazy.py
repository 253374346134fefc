"""Modules that take seconds to import."""

from importlib import import_module
from typing import Any


class LazyModule:
    """A module that is imported when a test first uses it.

    Every process of `make test` collects all tests. Only the one that runs those with TensorFlow should import it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
