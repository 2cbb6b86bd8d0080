"""Failure of a step in foreign code: file and line, and the inputs that the step had."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embodied.errors import NodeFailed, raised_at
from embodied.messages.encoding import summary
from embodied.node.ports import Stamped
from embodied.runtime.running_node import RunningNode

_PACKAGE = Path(__file__).parents[1]

OURS = tuple(f"{_PACKAGE}/{name}" for name in ("runtime/", "messages/encoding.py", "live/", "links/"))
"""Files and folders in which foreign code is called, or its outputs refused: they are not where it broke."""


def step_failed(node: RunningNode, error: BaseException, arguments: list[Any], tag: tuple[int, int]) -> NodeFailed:
    """Build the error for a step that failed in foreign code, with a summary of each of its inputs.

    Args:
        node: at run time.
        error: the exception that it raised.
        arguments: of the step.
        tag: (time [ns], microstep).
    """
    names = list(inspect.signature(node.step).parameters)
    inputs = {}
    for name, value in zip(names, arguments, strict=False):
        if isinstance(value, list):
            inputs[name] = f"[{', '.join(_summary(item) for item in value)}]"
        elif name != node.planned.ports.now:
            inputs[name] = _summary(value)
    return NodeFailed(node.name, "step", error, tag, inputs, location(error) or _place(node.step))


def location(error: BaseException) -> str:
    """Return file and line in foreign code where an error was raised; empty for what the wiring itself refused."""
    return raised_at(error, OURS)


def _summary(value: Any) -> str:
    return f"Stamped({summary(value.value)}, {value.source})" if isinstance(value, Stamped) else summary(value)


def _place(step: Callable[..., Any]) -> str:
    """Return file and line of a node's `step`, for outputs that were refused."""
    code = getattr(step, "__code__", None)
    return "" if code is None else f"{code.co_filename}:{code.co_firstlineno} in step"
