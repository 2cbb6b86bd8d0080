"""Layout of a graph in processes: in which process each node runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from embodied.graph.plan import Plan, opens_world
from embodied.node.node import Guard

WORLD = "world"
"""Name of the process in which the bodies live."""

GATEWAY = "machines"
"""Name of the process in which other machines are reached."""


def processes(plan: Plan, cameras: Collection[str] = (), machine: str | None = None) -> dict[str, tuple[str, ...]]:
    """Lay out the nodes of a plan in processes.

    Nodes that live in the world share one process, which comes first. A guard is never in it, and each camera has a
    process of its own. Of the others, those share one that the launch file puts together.

    Args:
        plan: a graph that was proven.
        cameras: nodes that render in a copy of the world.
        machine: whose processes; None where the graph names no machines.

    Returns:
        by process, its nodes.
    """
    here = {name: planned for name, planned in plan.nodes.items() if machine in (None, planned.machine)}
    bodies = [
        name
        for name, planned in here.items()
        if opens_world(planned.node) and name not in cameras and not isinstance(planned.node, Guard)
    ]
    placed = {*bodies, *cameras}
    layout: dict[str, tuple[str, ...]] = {}
    if plan.graph.world is not None and (bodies or machine is None):
        layout[_free(WORLD, plan.nodes)] = tuple(sorted(bodies))
    for group in plan.graph.processes:
        members = tuple(sorted(name for name in group if name in here and name not in placed))
        if members:
            layout["+".join(members)] = members
            placed |= set(members)
    layout |= {name: (name,) for name in sorted(here) if name not in placed or name in cameras}
    return layout


def _free(name: str, nodes: Mapping[str, object]) -> str:
    """Return a name of a process that no node has."""
    return name if name not in nodes else f"the {name}"


def process_of(plan: Plan, layout: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Map each node to its process; for nodes of other machines the layout gets the process that reaches them."""
    mapping = {node: process for process, nodes in layout.items() for node in nodes}
    elsewhere = [name for name in plan.nodes if name not in mapping]
    if elsewhere:
        gateway = _free(GATEWAY, plan.nodes)
        layout[gateway] = ()
        mapping |= dict.fromkeys(elsewhere, gateway)
    return mapping
