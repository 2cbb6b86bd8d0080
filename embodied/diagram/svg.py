"""Diagram of a plan as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from embodied.diagram import labels
from embodied.diagram.labels import Flow, Flows
from embodied.diagram.layout import HEAD, LETTER, MARGIN, Box, Layout, Node, Wire, lay_out, port_y
from embodied.graph.plan import Plan, Planned
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard

STYLE = (Path(__file__).parent / "style.css").read_text("utf-8")
"""Style sheet of a diagram."""

TOP = 52.0
"""Height of the title [px]."""

COLOURS = 6
"""Number of colours of processes."""

CUT = 9.0
"""Size of a guard's cut corners [px]."""


def svg(plan: Plan, title: str, flows: Flows | None = None) -> str:
    """Draw a plan as SVG: columns from left to right, backward wires dashed below them.

    Args:
        plan: of the graph.
        title: of the diagram.
        flows: measured traffic on its wires, while it runs.
    """
    flows = flows or {}
    nodes = {name: _node(plan, node, flows) for name, node in plan.nodes.items()}
    wires = [
        Wire(source.node, source.port, name, port)
        for name, node in plan.nodes.items()
        for port, source in node.sources.items()
    ]
    layout = lay_out(nodes, wires)
    parts = [_wire(plan, layout, wire, flows.get((wire.target, wire.input))) for wire in wires]
    parts += [_label(plan, layout, nodes, *port) for port in sorted({(wire.source, wire.output) for wire in wires})]
    process = _processes(plan)
    parts += [_box(plan, nodes[name], layout.boxes[name], process.get(name)) for name in plan.nodes]
    wide = max(layout.width, 760.0)
    legend, foot = _legend(plan, layout, process, wide, live=bool(flows))
    high = TOP + layout.height + MARGIN + foot
    below = TOP + layout.height + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
            f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img" aria-label={quoteattr(title)}>',
            f"<style>\n{STYLE}</style>",
            _arrow("tip"),
            _arrow("tip-command"),
            f'<rect class="paper" width="{wide:.0f}" height="{high:.0f}"/>',
            f'<text class="title" x="{MARGIN}" y="34">{escape(title)}</text>',
            f'<text class="aside" x="{MARGIN}" y="53">{escape(_aside(plan))}</text>',
            f'<g transform="translate(0 {TOP:.0f})">',
            *parts,
            "</g>",
            f'<g transform="translate(0 {below:.0f})">',
            *legend,
            "</g>",
            "</svg>\n",
        ]
    )


def _aside(plan: Plan) -> str:
    graph = plan.graph
    world = "" if graph.world is None else f" · world {type(graph.world).__module__}:{type(graph.world).__name__}"
    clock = "lockstep, all in one process" if graph.clock == "lockstep" else f"{graph.clock} clock"
    return f"{len(plan.nodes)} nodes · {clock}{world}"


def _node(plan: Plan, node: Planned, flows: Flows) -> Node:
    kind = type(node.node)
    second = f"{kind.__name__} · {labels.when(node)}"
    title = max(8.6 * len(node.name) + 62, 6.2 * len(second) + 26)
    taken = {name: output.message.__name__ for name, output in node.ports.outputs.items()}
    worst = {name: labels.worst(plan, flows, node.name, name) for name in taken}
    taken = {name: f"{taken[name]} {flow.short}" if flow else taken[name] for name, flow in worst.items()}
    # An actuator ends the flow; its measurements lead back.
    last = isinstance(node.node, Driver) and any(issubclass(i.message, Command) for i in node.ports.inputs.values())
    return Node(node.name, title, tuple(node.ports.inputs), tuple(node.ports.outputs), taken, last)


def _processes(plan: Plan) -> dict[str, int]:
    """Return the number of the process of each node that shares one."""
    if plan.graph.clock == "lockstep":
        return {}
    return {name: index % COLOURS for index, group in enumerate(plan.graph.processes) for name in group}


def _commands(plan: Plan, wire: Wire) -> bool:
    return issubclass(plan.nodes[wire.target].ports.inputs[wire.input].message, Command)


def _wire(plan: Plan, layout: Layout, wire: Wire, flow: Flow | None) -> str:
    kinds = ["wire"]
    kinds += ["trigger"] if plan.nodes[wire.target].trigger == wire.input else []
    kinds += ["command"] if _commands(plan, wire) else []
    kinds += ["back"] if wire in layout.back else []
    tip = "tip-command" if "command" in kinds else "tip"
    title = escape(labels.wire(plan, wire.target, wire.input, flow))
    path = layout.paths[wire]
    return (
        f'<g><title>{title}</title><path class="touch" d="{path}"/>'
        f'<path class="{" ".join(kinds)}" d="{path}" marker-end="url(#{tip})"/></g>'
    )


def _label(plan: Plan, layout: Layout, nodes: Mapping[str, Node], node: str, port: str) -> str:
    x, y = layout.labels[node, port]
    message = plan.nodes[node].ports.outputs[port].message
    kind = "label command" if issubclass(message, Command) else "label"
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(nodes[node].messages[port])}</text>'


def _box(plan: Plan, node: Node, box: Box, process: int | None) -> str:
    planned = plan.nodes[node.name]
    kind = _kind(planned)
    colour = "" if process is None else f" process{process}"
    lines = [
        f"<g><title>{escape(labels.about(planned))}</title>",
        _outline(kind, box, f"box {kind}{colour}"),
        f'<path class="rule {kind}{colour}" d="M{box.x:.1f} {box.y + HEAD - 5:.1f}h{box.width:.1f}"/>',
        f'<text class="name" x="{box.x + 12:.1f}" y="{box.y + 19:.1f}">{escape(node.name)}</text>',
    ]
    if kind != "plain":
        lines.append(f'<text class="tag {kind}" x="{box.x + box.width - 12:.1f}" y="{box.y + 18:.1f}">{kind}</text>')
    second = f"{type(planned.node).__name__} · {labels.when(planned)}"
    lines.append(f'<text class="aside" x="{box.x + 12:.1f}" y="{box.y + 35:.1f}">{escape(second)}</text>')
    for port in node.inputs:
        wired = port in planned.sources
        lines += _port(box.x, box.y + port_y(node, port, output=False), port, wired, 11)
    taken = {s.port for other in plan.nodes.values() for s in other.sources.values() if s.node == node.name}
    for port in node.outputs:
        lines += _port(box.x + box.width, box.y + port_y(node, port, output=True), port, port in taken, -11)
    return "\n".join([*lines, "</g>"])


def _port(x: float, y: float, name: str, wired: bool, inward: float) -> Iterable[str]:
    kind = "port" if wired else "port free"
    anchor = "start" if inward > 0 else "end"
    yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'
    yield f'<text class="{kind}" x="{x + inward:.1f}" y="{y + 3.8:.1f}" text-anchor="{anchor}">{escape(name)}</text>'


def _kind(node: Planned) -> str:
    return "guard" if isinstance(node.node, Guard) else "driver" if isinstance(node.node, Driver) else "plain"


def _outline(kind: str, box: Box, classes: str) -> str:
    x, y, w, h, c = box.x, box.y, box.width, box.height, CUT
    if kind == "guard":
        path = f"M{x + c:.1f} {y:.1f}h{w - 2 * c:.1f}l{c} {c}v{h - 2 * c:.1f}l{-c} {c}h{2 * c - w:.1f}l{-c} {-c}"
        return f'<path class="{classes}" d="{path}v{2 * c - h:.1f}z"/>'
    round_ = 0 if kind == "driver" else 9
    return f'<rect class="{classes}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_}"/>'


def _arrow(name: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="{name}" d="M0 0.6L8 4L0 7.4z"/></marker>'
    )


def _legend(plan: Plan, layout: Layout, process: dict[str, int], wide: float, *, live: bool) -> tuple[list[str], float]:
    """Draw the legend of the signs that occur, in rows, and return its height [px]."""
    kinds = {_kind(node) for node in plan.nodes.values()}
    entries: list[tuple[str, str]] = []
    for kind, text in (("driver", "driver"), ("guard", "guard")):
        if kind in kinds:
            entries.append((_outline(kind, Box(0, -8, 26, 18), f"box {kind}"), text))
    for index in sorted(set(process.values())):
        members = ", ".join(name for name in process if process[name] == index)
        entries.append(
            (f'<rect class="box process{index}" y="-8" width="26" height="18" rx="5"/>', f"one process: {members}")
        )
    if process and len(process) < len(plan.nodes):
        entries.append(('<rect class="box plain" y="-8" width="26" height="18" rx="5"/>', "a process of its own"))
    drawn = [_wire_kinds(plan, layout, wire) for wire in layout.paths]
    for kind, text in (
        ("trigger", "triggers a step"),
        ("", "is sampled"),
        ("command", "command"),
        ("back", "leads back"),
    ):
        if any(kind in has if kind else "trigger" not in has for has in drawn):
            tip = "tip-command" if kind == "command" else "tip"
            entries.append((f'<path class="wire {kind}" d="M0 1H28" marker-end="url(#{tip})"/>', text))
    if live:
        entries.append(
            ('<text class="label" y="5">Hz</text>', "published; median/p99 latency of the slowest subscriber")
        )
    made, x, y = [], MARGIN, 14.0
    for sign, text in entries:
        length = 36 + LETTER * len(text) + 26
        if x + length > wide - MARGIN / 2 and x > MARGIN:
            x, y = MARGIN, y + 26
        made.append(
            f'<g transform="translate({x:.1f} {y:.1f})">{sign}<text class="key" x="36" y="5">{escape(text)}</text></g>'
        )
        x += length
    return made, y + 26


def _wire_kinds(plan: Plan, layout: Layout, wire: Wire) -> set[str]:
    kinds = {"trigger"} if plan.nodes[wire.target].trigger == wire.input else set()
    kinds |= {"command"} if _commands(plan, wire) else set()
    return kinds | ({"back"} if wire in layout.back else set())
