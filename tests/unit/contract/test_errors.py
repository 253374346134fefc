"""Reasons of errors: never empty, always one line, and no place in the code that writes its own."""

import ast
import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.errors import ModelError, reason_of

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "api_gateway",
    "capture_service",
    "contract",
    "emotii",
    "inference_service",
    "jobs_service",
    "postprocessing",
    "rendering",
    "training",
)
LEVELS = {"debug", "info", "warning", "error", "critical"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no response in time"),
        (asyncio.CancelledError(), "cancelled"),
        (ConnectionResetError(), "ConnectionResetError"),
        (OSError(), "OSError"),
        (OSError("no errno"), "no errno"),
        (OSError(errno.ENOSPC, "No space left on device", "/srv/secret"), "No space left on device"),
        (ValueError("\n  first line  \nsecond"), "first line"),
        (ModelError("no model"), "no model"),
    ],
)
def test_the_reason_of_an_error_is_one_line_that_is_never_empty(error: BaseException, reason: str):
    assert reason_of(error) == reason


def test_every_log_line_and_message_takes_the_reason_of_an_error_from_the_one_function():
    """`str(error)` is empty for a time-out, `strerror` None for an OSError with a text, and lines[0] may not exist."""
    assert [place for package in PACKAGES for place in _own_reasons(ROOT / package)] == []


def _own_reasons(package: Path) -> Iterator[str]:
    for path in sorted(package.rglob("*.py")):
        if path == ROOT / "contract" / "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "strerror":
                yield f"{path.relative_to(ROOT)}:{node.lineno} .strerror"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                for keyword in node.keywords:
                    if _is_text_of_a_name(keyword.value):
                        yield f"{path.relative_to(ROOT)}:{node.lineno} {keyword.arg}=str(...)"
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).startswith("str(error).strip().splitlines"):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"


def _is_text_of_a_name(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "str"
        and isinstance(value.args[0], ast.Name)
        and value.args[0].id in {"error", "exception", "failure"}
    )
