"""Diagram of a plan as Mermaid, which code hosts and editors draw."""

from __future__ import annotations

from embodied.diagram.labels import Flows, when
from embodied.graph.plan import Plan


def mermaid(plan: Plan, flows: Flows | None = None) -> str:
    """Draw a plan as Mermaid: one box a node with its rate, one arrow a wire with its type; triggers are thick.

    Args:
        plan: of the graph.
        flows: measured traffic on its wires, while it runs.
    """
    lines = ["flowchart LR"]
    for name, node in plan.nodes.items():
        lines.append(f'  {_id(name)}["{name}<br/>{type(node.node).__name__}<br/>{when(node)}"]')
    for name, node in plan.nodes.items():
        for port, source in node.sources.items():
            arrow = "==>" if port == node.trigger else "-->"
            message = node.ports.inputs[port].message.__name__
            flow = (flows or {}).get((name, port))
            goes = "" if flow is None else f"<br/>{flow}"
            lines.append(f'  {_id(source.node)} {arrow}|"{source.port}: {message}{goes}"| {_id(name)}')
    return "\n".join(lines)


def _id(name: str) -> str:
    # A bare `end` or `graph` would be read as a keyword of Mermaid.
    return "n_" + name.replace("/", "__")
