"""What a picture of a plan says of a node and of a wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embodied.clock import SECOND, show
from embodied.graph.plan import Plan, Planned


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes over a wire of a graph that runs.

    Attributes:
        hertz: how often a message is published [Hz]; None where that is not known.
        middle, late: median and 99th percentile of how long it is under way [s]; None within a process.
        lost: how many were dropped or passed over meanwhile.
    """

    hertz: float | None
    middle: float | None = None
    late: float | None = None
    lost: int = 0

    def __str__(self) -> str:
        parts = ["?" if self.hertz is None else f"{self.hertz:.4g} Hz"]
        if self.middle is not None and self.late is not None:
            parts.append(f"{show(int(self.middle * SECOND))}, p99 {show(int(self.late * SECOND))}")
        return " · ".join([*parts, f"{self.lost} lost"] if self.lost else parts)

    @property
    def short(self) -> str:
        """The same where there is little room: `100 Hz 0.25/7.97 ms`."""
        parts = ["" if self.hertz is None else f"{self.hertz:.4g} Hz"]
        if self.middle is not None and self.late is not None:
            parts.append(f"{self.middle * 1e3:.2f}/{self.late * 1e3:.2f} ms")
        return " ".join([*parts, f"{self.lost} lost"] if self.lost else parts)


Flows = Mapping[tuple[str, str], Flow]
"""By node and input, what comes over its wire."""


def worst(plan: Plan, flows: Flows, node: str, port: str) -> Flow | None:
    """Of the wires that leave an output the slowest, with what all of them lost; None where nothing takes it."""
    found = [
        flows[name, wire]
        for name, other in plan.nodes.items()
        for wire, source in other.sources.items()
        if (source.node, source.port) == (node, port) and (name, wire) in flows
    ]
    if not found:
        return None
    slowest = max(found, key=lambda flow: flow.late or 0.0)
    return Flow(slowest.hertz, slowest.middle, slowest.late, sum(flow.lost for flow in found))


def when(node: Planned) -> str:
    """When it steps: `100 Hz`, `on trigger`, `once`; and how long that takes in virtual time."""
    text = f"{float(node.rate):g} Hz" if node.rate is not None else "once" if node.once else "on trigger"
    return f"{text}, takes {show(node.timing.latency)}" if node.timing.latency else text


def about(node: Planned) -> str:
    """A node in a few lines: its class, and what that says of itself."""
    kind = type(node.node)
    lines = (kind.__doc__ or "").strip().splitlines()
    return "\n".join([f"{node.name}: {kind.__module__}:{kind.__name__}", *lines[:1]])


def wire(plan: Plan, target: str, port: str, flow: Flow | None = None) -> str:
    """A wire in a few lines: its ends, message and delivery, when a value is stale, and what goes over it."""
    node = plan.nodes[target]
    source, taken = node.sources[port], node.ports.inputs[port]
    how = {"latest": "the latest", "optional": "the latest, or None", "every": f"every one, {source.bound} may wait"}
    age = "never stale" if source.max_age is None else f"stale after {show(source.max_age)}"
    trigger = "; triggers a step" if port == node.trigger else ""
    ends = f"{source.topic} → {target}.{port}: {taken.message.__name__}"
    goes = "" if flow is None else f"\n{flow}"
    return f"{ends}\n{how[taken.delivery]}; {age}{trigger}{goes}"
