"""What is said when foreign code breaks a run: where it broke, and what it had been given."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embodied.errors import EmbodiedError, NodeFailed, WorldFailed, told
from embodied.messages.encoding import summary
from embodied.node.ports import Stamped
from embodied.runtime.mailboxes import Cell

_HALL = Path(__file__).parent.parent
OURS = tuple(
    str(_HALL / name)
    for name in ("runtime/lockstep.py", "runtime/mailboxes.py", "messages/encoding.py", "live/", "links/")
)
"""Files and folders in which foreign code is called, or its outputs refused: they are not where it broke."""


def step_failed(cell: Cell, error: BaseException, arguments: list[Any], tag: tuple[int, int]) -> NodeFailed:
    """The failure of a step, with a picture of each value it was given.

    Args:
        cell: the node.
        error: what it raised.
        arguments: of the step.
        tag: (time [ns], microstep).
    """
    names = list(inspect.signature(cell.step).parameters)
    inputs = {}
    for name, value in zip(names, arguments, strict=False):
        if isinstance(value, list):
            inputs[name] = f"[{', '.join(_picture(item) for item in value)}]"
        elif name != cell.planned.ports.now:
            inputs[name] = _picture(value)
    return NodeFailed(cell.name, "step", error, tag, inputs, location(error) or _written(cell.step))


def world_failed(doing: str, error: BaseException) -> EmbodiedError:
    """The failure of a world; what is an error of ours already stays as it is."""
    if isinstance(error, EmbodiedError):
        return error
    return WorldFailed(f"the world failed to {doing}: {told(error)}")


def location(error: BaseException) -> str:
    """File and line in the node where an error was raised; nothing for what the wire itself refused."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(OURS) and frame.filename[0] != "<"]
    return f"{own[-1].filename}:{own[-1].lineno} in {own[-1].name}" if own else ""


def _picture(value: Any) -> str:
    return f"Stamped({summary(value.value)}, {value.source})" if isinstance(value, Stamped) else summary(value)


def _written(step: Callable[..., Any]) -> str:
    """File and line of a node's `step`, for what it gave but did not raise."""
    code = getattr(step, "__code__", None)
    return "" if code is None else f"{code.co_filename}:{code.co_firstlineno} in step"
