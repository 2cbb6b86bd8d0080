"""A plan as Mermaid, which code hosts and editors draw."""

from __future__ import annotations

from embodied.diagram.words import when
from embodied.plan import Plan


def mermaid(plan: Plan) -> str:
    """A plan as Mermaid: one box a node with its rate, one arrow a wire with its type; triggers are thick."""
    lines = ["flowchart LR"]
    for name, node in plan.nodes.items():
        lines.append(f'  {_id(name)}["{name}<br/>{type(node.node).__name__}<br/>{when(node)}"]')
    for name, node in plan.nodes.items():
        for port, source in node.sources.items():
            arrow = "==>" if port == node.trigger else "-->"
            message = node.ports.inputs[port].message.__name__
            lines.append(f'  {_id(source.node)} {arrow}|"{source.port}: {message}"| {_id(name)}')
    return "\n".join(lines)


def _id(name: str) -> str:
    # A bare `end` or `graph` would be read as a keyword of Mermaid.
    return "n_" + name.replace("/", "__")
