"""What a node, its mailboxes and its topics are while a graph runs."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from embodied.node import generator
from embodied.plan import Planned
from embodied.ports import Output, Refinement, Stamped
from embodied.wire import Encoder, encoder

if TYPE_CHECKING:
    from embodied.injector import Injector
    from embodied.messages.schema import Message

FOREVER = 1 << 62
"""Later than any time [ns]."""

Observer = Callable[[Stamped[Any]], None]


class Slot:
    """A mailbox: the latest value of one input, or all since the last step."""

    __slots__ = ("bound", "cell", "dropped", "items", "max_age", "name", "required", "stamp", "stamped", "value")

    def __init__(self, cell: Cell, name: str, planned: Planned) -> None:
        port = planned.ports.inputs[name]
        source = planned.sources.get(name)
        self.cell = cell
        self.name = name
        self.required = port.required
        self.stamped = port.stamped
        self.max_age = FOREVER if source is None or source.max_age is None else source.max_age
        self.bound = 0 if source is None else source.bound
        self.items: deque[Any] | None = deque() if port.delivery == "every" else None
        self.value: Any = None
        self.stamp = 0
        self.dropped = 0


class Topic:
    """One output: how it becomes bytes, and who takes it."""

    __slots__ = (
        "digested",
        "encode",
        "last",
        "latest",
        "name",
        "observers",
        "optional",
        "port",
        "prefix",
        "published",
        "slots",
        "triggers",
    )

    def __init__(self, name: str, output: Output, encode: Encoder) -> None:
        self.name = name
        self.port = output.name
        self.optional = output.optional
        self.prefix = name.encode() + b"\0"
        self.encode = encode
        self.slots: list[Slot] = []
        self.triggers: list[Cell] = []
        self.observers: list[Observer] = []
        self.digested = not output.rendered
        self.published = 0
        self.last: int | None = None
        self.latest: Message | None = None


class Cell:
    """A node at run time."""

    __slots__ = (
        "bundle", "busy_until", "due", "faults", "index", "jitter", "latency", "lost", "name", "now_at", "pending",
        "planned", "prompt", "relatives", "rng", "sequence", "skipped", "slots", "starved", "step", "steps", "topics",
    )  # fmt: skip

    def __init__(self, planned: Planned, index: int, seed: int, stated: Mapping[str, Refinement]) -> None:
        self.planned = planned
        self.name = planned.name
        self.index = index
        self.step: Callable[..., Any] = planned.node.step  # type: ignore[attr-defined]
        self.slots = [Slot(self, name, planned) for name in planned.ports.inputs]
        parameters = list(inspect.signature(self.step).parameters)
        self.now_at = -1 if planned.ports.now is None else parameters.index(planned.ports.now)
        self.bundle = planned.ports.bundle
        outputs = planned.ports.outputs.values()
        self.topics = [
            Topic(f"{self.name}.{out.name}", out, encoder(out.message, f"{self.name}.{out.name}", stated[out.name]))
            for out in outputs
        ]
        # Takers of several outputs of this node: they must never see outputs of two different steps at once.
        self.relatives: list[list[tuple[Topic, Slot]]] = []
        self.latency = planned.timing.latency
        self.jitter = planned.timing.jitter
        self.rng = generator(seed, self.name, "jitter")
        self.faults: Injector | None = None
        # What a step gives is delivered at once, as it is.
        self.prompt = not (self.latency or self.jitter)
        self.busy_until = 0
        self.pending = False
        self.due = False
        self.sequence = 0
        self.steps = self.skipped = self.starved = self.lost = 0
