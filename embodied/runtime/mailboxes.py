"""What a node, its mailboxes and its topics are while a graph runs."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embodied.clock import Time
from embodied.errors import WireError
from embodied.graph.entry import BOUND
from embodied.graph.plan import Planned
from embodied.messages.encoding import Encoder, summary
from embodied.node.node import generator
from embodied.node.ports import Output, Stamped

if TYPE_CHECKING:
    from embodied.messages.schema import Message
    from embodied.runtime.fault_injection import FaultInjector

FOREVER = 1 << 62
"""Later than any time [ns]."""

Observer = Callable[[Stamped[Any]], None]


class Slot:
    """A mailbox: the latest value of one input, or all since the last step."""

    __slots__ = (
        "bound", "cell", "dropped", "items", "max_age", "name", "required", "sequence", "stamp", "stamped", "value",
    )  # fmt: skip

    def __init__(self, cell: Cell, name: str, planned: Planned) -> None:
        port = planned.ports.inputs[name]
        source = planned.sources.get(name)
        self.cell = cell
        self.name = name
        self.required = port.required
        self.stamped = port.stamped
        self.max_age = FOREVER if source is None or source.max_age is None else source.max_age
        # What nobody is wired to may still be handed in, such as a stop.
        self.bound = BOUND if source is None else source.bound
        self.items: deque[Any] | None = deque() if port.delivery == "every" else None
        self.value: Any = None
        self.stamp = 0
        self.sequence = -1
        self.dropped = 0

    def put(self, message: Message, stamp: int, sequence: int, topic: str) -> None:
        """Take a delivery; a full list loses its oldest, counted."""
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


class Topic:
    """One output, and who takes it.

    Attributes:
        encode: in lockstep, how it becomes bytes.
        seal: live, how a message that stays in the process is checked; None where nobody takes it there.
    """

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
        "seal",
        "slots",
        "triggers",
    )

    def __init__(self, name: str, output: Output) -> None:
        self.name = name
        self.port = output.name
        self.optional = output.optional
        self.prefix = name.encode() + b"\0"
        self.encode: Encoder
        self.seal: Callable[[Any], None] | None = None
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
        "bundle", "busy_until", "due", "faults", "index", "jitter", "late", "latency", "lost", "name", "now_at",
        "pending", "planned", "prompt", "relatives", "rng", "sequence", "skipped", "slots", "starved", "step", "steps",
        "topics",
    )  # fmt: skip

    def __init__(self, planned: Planned, index: int, seed: int) -> None:
        self.planned = planned
        self.name = planned.name
        self.index = index
        self.step: Callable[..., Any] = planned.node.step  # type: ignore[attr-defined]
        self.slots = [Slot(self, name, planned) for name in planned.ports.inputs]
        parameters = list(inspect.signature(self.step).parameters)
        self.now_at = -1 if planned.ports.now is None else parameters.index(planned.ports.now)
        self.bundle = planned.ports.bundle
        outputs = planned.ports.outputs.values()
        self.topics = [Topic(f"{self.name}.{output.name}", output) for output in outputs]
        # Takers of several outputs of this node: they must never see outputs of two different steps at once.
        self.relatives: list[list[tuple[Topic, Slot]]] = []
        self.latency = planned.timing.latency
        self.jitter = planned.timing.jitter
        self.rng = generator(seed, self.name, "jitter")
        self.faults: FaultInjector | None = None
        # What a step gives is delivered at once, as it is.
        self.prompt = not (self.latency or self.jitter)
        self.busy_until = 0
        self.pending = False
        self.due = False
        self.sequence = 0
        self.steps = self.skipped = self.starved = self.lost = 0
        # Live, the longest that a tick waited for its step [ns].
        self.late = 0

    def arguments(self, t: int) -> list[Any] | None:
        """What `step` is called with at a time [ns]; None, and counted, while a required input is absent or stale."""
        arguments: list[Any] = []
        for slot in self.slots:
            if slot.items is not None:
                arguments.append(slot.items)
                continue
            value = slot.value
            if value is not None and t - slot.stamp > slot.max_age:
                value = None
            if value is None and slot.required:
                self.starved += 1
                return None
            arguments.append(value)
        for index, value in enumerate(arguments):
            if value.__class__ is deque:
                arguments[index] = list(value)
                value.clear()
        if self.now_at >= 0:
            arguments.insert(self.now_at, t)
        return arguments

    def outputs(self, result: Any) -> list[tuple[Topic, Message]]:
        """What a step gave, by topic.

        Raises:
            WireError: it is not what `step` is declared to give.
        """
        if self.bundle is None:
            if result is None:
                if self.topics and not self.topics[0].optional:
                    raise WireError(f"{self.topics[0].name}: is not declared optional, and is None")
                return []
            if not self.topics:
                raise WireError(f"step is declared to give nothing, and gave {summary(result)}")
            return [(self.topics[0], result)]
        if result.__class__ is not self.bundle:
            raise WireError(f"expected {self.bundle.__name__}, got {summary(result)}")
        outputs = []
        for topic in self.topics:
            message = getattr(result, topic.port)
            if message is not None:
                outputs.append((topic, message))
            elif not topic.optional:
                raise WireError(f"{topic.name}: is not declared optional, and is None")
        return outputs
