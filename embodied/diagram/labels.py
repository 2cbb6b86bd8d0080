"""Labels of nodes and wires in a diagram: rates, classes, delivery, and measured traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embodied.clock import SECOND, show
from embodied.graph.plan import Plan, Planned


@dataclass(frozen=True, slots=True)
class Flow:
    """Measured traffic on a wire of a running graph, for its label.

    Attributes:
        hertz: rate of publication [Hz]; None where that is not known.
        middle: median of the latency [s]; None within a process.
        late: 99th percentile of the latency [s]; None within a process.
        lost: number of messages that were dropped or passed over.
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
        """Short form of the traffic: `100 Hz 0.25/7.97 ms`."""
        parts = ["" if self.hertz is None else f"{self.hertz:.4g} Hz"]
        if self.middle is not None and self.late is not None:
            parts.append(f"{self.middle * 1e3:.2f}/{self.late * 1e3:.2f} ms")
        return " ".join([*parts, f"{self.lost} lost"] if self.lost else parts)


Flows = Mapping[tuple[str, str], Flow]
"""Traffic by node and input."""


def worst(plan: Plan, flows: Flows, node: str, port: str) -> Flow | None:
    """Return the traffic for an output's label: its slowest wire, with the losses of all; None without subscribers.

    Args:
        plan: of the graph.
        flows: measured traffic.
        node: name of the publishing node.
        port: name of its output.
    """
    wires = [
        flows[name, wire]
        for name, other in plan.nodes.items()
        for wire, source in other.sources.items()
        if (source.node, source.port) == (node, port) and (name, wire) in flows
    ]
    if not wires:
        return None
    slowest = max(wires, key=lambda flow: flow.late or 0.0)
    return Flow(slowest.hertz, slowest.middle, slowest.late, sum(flow.lost for flow in wires))


def when(node: Planned) -> str:
    """Label the timing of a node: `100 Hz`, `on trigger` or `once`, and its latency in virtual time."""
    text = f"{float(node.rate):g} Hz" if node.rate is not None else "once" if node.once else "on trigger"
    return f"{text}, takes {show(node.timing.latency)}" if node.timing.latency else text


def about(node: Planned) -> str:
    """Label a node in a few lines: its name, its class, and the first line of its docstring."""
    kind = type(node.node)
    lines = (kind.__doc__ or "").strip().splitlines()
    return "\n".join([f"{node.name}: {kind.__module__}:{kind.__name__}", *lines[:1]])


def wire(plan: Plan, target: str, port: str, flow: Flow | None = None) -> str:
    """Label a wire in a few lines: its ends, message, delivery and age limit, and its traffic.

    Args:
        plan: of the graph.
        target: name of the subscribing node.
        port: name of its input.
        flow: measured traffic; None where the graph does not run.
    """
    node = plan.nodes[target]
    source, taken = node.sources[port], node.ports.inputs[port]
    how = {"latest": "the latest", "optional": "the latest, or None", "every": f"every one, {source.bound} may wait"}
    age = "never stale" if source.max_age is None else f"stale after {show(source.max_age)}"
    trigger = "; triggers a step" if port == node.trigger else ""
    ends = f"{source.topic} → {target}.{port}: {taken.message.__name__}"
    goes = "" if flow is None else f"\n{flow}"
    return f"{ends}\n{how[taken.delivery]}; {age}{trigger}{goes}"
