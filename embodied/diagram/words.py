"""What a picture of a plan says of a node and of a wire."""

from __future__ import annotations

from embodied.clock import show
from embodied.plan import Plan, Planned


def when(node: Planned) -> str:
    """When it steps: `100 Hz`, `on trigger`, `once`; and how long that takes in virtual time."""
    text = f"{float(node.rate):g} Hz" if node.rate is not None else "once" if node.once else "on trigger"
    return f"{text}, takes {show(node.timing.latency)}" if node.timing.latency else text


def about(node: Planned) -> str:
    """A node in a few lines: its class, and what that says of itself."""
    kind = type(node.node)
    lines = (kind.__doc__ or "").strip().splitlines()
    return "\n".join([f"{node.name}: {kind.__module__}:{kind.__name__}", *lines[:1]])


def wire(plan: Plan, target: str, port: str) -> str:
    """A wire in a few lines: its ends, its message, how it is delivered, and when a value is stale."""
    node = plan.nodes[target]
    source, taken = node.sources[port], node.ports.inputs[port]
    how = {"latest": "the latest", "optional": "the latest, or None", "every": f"every one, {source.bound} may wait"}
    age = "never stale" if source.max_age is None else f"stale after {show(source.max_age)}"
    trigger = "; triggers a step" if port == node.trigger else ""
    ends = f"{source.topic} → {target}.{port}: {taken.message.__name__}"
    return f"{ends}\n{how[taken.delivery]}; {age}{trigger}"
