"""The step of a live node, as a function made for it: read the mailboxes, call, publish. Nothing is looked up twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from embodied.errors import FOREIGN
from embodied.live.heartbeat import Heartbeat
from embodied.messages.arrays import Maker, made_by
from embodied.messages.schema import Message
from embodied.runtime.failures import step_failed
from embodied.runtime.mailboxes import FOREVER, Cell, Topic

Given = tuple[Cell, int, list[tuple[Topic, Message]]]
"""A node, the number of its step, and what is to be delivered within the process."""

Publish = Callable[[Cell, list[tuple[Topic, Message]]], None]


def stepper(
    cell: Cell, heartbeat: Heartbeat, publish: Publish, maker: Maker | None = None
) -> Callable[[int, list[Given]], None]:
    """A function that steps a node at a time [ns], unless a required input is absent or stale.

    Args:
        cell: the node.
        heartbeat: where it is written that it steps.
        publish: hands outputs to other processes, and checks them.
        maker: of arrays in the memory that others read.

    Returns:
        (time, what was given so far) -> None; it raises NodeFailed.
    """
    names: dict[str, Any] = {"cell": cell, "call": _caller(cell, heartbeat, publish, maker)}
    lines: list[str] = []
    lists: list[str] = []
    for index, slot in enumerate(cell.slots):
        v = f"v{index}"
        names[f"slot{index}"] = slot
        if slot.items is not None:
            names[f"items{index}"] = slot.items
            lists.append(f"{v} = list(items{index})")
            lists.append(f"items{index}.clear()")
            continue
        lines.append(f"{v} = slot{index}.value")
        if slot.max_age < FOREVER:
            lines += [f"if {v} is not None and now - slot{index}.stamp > {slot.max_age}: {v} = None"]
        if slot.required:
            lines += [f"if {v} is None:", "    cell.starved += 1", "    return"]
    arguments = [f"v{index}" for index in range(len(cell.slots))]
    if cell.now_at >= 0:
        arguments.insert(cell.now_at, "now")
    body = [*lines, *lists, f"call(now, given, [{', '.join(arguments)}])"]
    source = "def step(now, given):\n" + "\n".join(f"    {line}" for line in body)
    exec(compile(source, f"<step of {cell.name}>", "exec"), names)
    made: Callable[[int, list[Given]], None] = names["step"]
    return made


def _caller(
    cell: Cell, heartbeat: Heartbeat, publish: Publish, maker: Maker | None
) -> Callable[[int, list[Given], list[Any]], None]:
    step = cell.step if maker is None else _making(cell.step, maker)
    words, index = heartbeat.words, cell.index
    clock = time.monotonic_ns
    stays = any(topic.slots for topic in cell.topics)

    def call(now: int, given: list[Given], arguments: list[Any]) -> None:
        words[1] = index
        words[0] = clock()
        cell.steps += 1
        try:
            outputs = cell.outputs(step(*arguments))
            if outputs:
                publish(cell, outputs)
        except FOREIGN as error:
            raise step_failed(cell, error, arguments, (now, 0)) from error
        if outputs:
            if stays:
                given.append((cell, cell.sequence, outputs))
            cell.sequence += 1

    return call


def _making(step: Callable[..., Any], maker: Maker) -> Callable[..., Any]:
    """A step whose `embodied.empty` makes arrays in the ring."""

    def making(*arguments: Any) -> Any:
        made_by(maker)
        try:
            return step(*arguments)
        finally:
            made_by(None)

    return making
