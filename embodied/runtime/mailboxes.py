"""Mailboxes: what waits for a node between two of its steps, and the function that reads them for a step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType
from typing import Any

from embodied.clock import Time
from embodied.graph.entry import BOUND
from embodied.graph.plan import Source
from embodied.messages.schema import Message
from embodied.node.ports import Input, Stamped

FOREVER = 1 << 62
"""Time later than any other [ns]."""

Reader = Callable[[int], list[Any] | None]
"""Time of a step [ns] -> arguments of the step; None if a required input is absent or stale."""


class Mailbox:
    """Mailbox of one input: its latest value, or all values since the last step.

    Args:
        port: the input.
        source: the output it is wired to; None for an unwired one, which can still be filled by hand.
    """

    __slots__ = (
        "bound", "dropped", "items", "max_age", "measured", "name", "required", "sequence", "stamp", "stamped", "value",
    )  # fmt: skip

    def __init__(self, port: Input, source: Source | None) -> None:
        self.name = port.name
        self.measured = source is not None and source.measured
        self.required = port.required
        self.stamped = port.stamped
        self.max_age = FOREVER if source is None or source.max_age is None else source.max_age
        self.bound = BOUND if source is None else source.bound
        self.items: deque[Any] | None = deque() if port.delivery == "every" else None
        self.value: Any = None
        self.stamp = 0
        self.sequence = -1
        self.dropped = 0

    def put(self, message: Message, stamp: int, sequence: int, topic: str) -> None:
        """Store a message; a full list drops its oldest one and counts it."""
        value: Any = Stamped(message, Time(stamp), sequence, topic) if self.stamped else message
        items = self.items
        if items is None:
            self.value = value
            self.stamp = stamp
            self.sequence = sequence
        else:
            if len(items) >= self.bound:
                items.popleft()
                self.dropped += 1
            items.append(value)


def reader(mailboxes: Sequence[Mailbox], now_at: int) -> Reader:
    """Generate the function that reads the mailboxes of one node, with nothing looked up at run time.

    Args:
        mailboxes: in the order of the parameters of `step`.
        now_at: position of the time among the parameters; -1 for a step that does not take it.
    """
    names: dict[str, Any] = {}
    lines: list[str] = []
    lists: list[str] = []
    for index, mailbox in enumerate(mailboxes):
        v = f"v{index}"
        if mailbox.items is not None:
            names[f"items{index}"] = mailbox.items
            lists += [f"{v} = list(items{index})", f"items{index}.clear()"]
            continue
        names[f"box{index}"] = mailbox
        lines.append(f"{v} = box{index}.value")
        if mailbox.max_age < FOREVER:
            since = f"box{index}.stamp"
            if mailbox.measured:
                since = f"min({since}, {v}{'.value' if mailbox.stamped else ''}.acquired)"
            lines.append(f"if {v} is not None and now - {since} > {mailbox.max_age}: {v} = None")
        if mailbox.required:
            lines.append(f"if {v} is None: return None")
    arguments = [f"v{index}" for index in range(len(mailboxes))]
    if now_at >= 0:
        arguments.insert(now_at, "now")
    # Lists are emptied last: a node that lacks a required input keeps what waits for it.
    body = [*lines, *lists, f"return [{', '.join(arguments)}]"]
    exec(_compiled("def read(now):\n" + "\n".join(f"    {line}" for line in body)), names)
    read: Reader = names["read"]
    return read


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "<mailboxes>", "exec")
