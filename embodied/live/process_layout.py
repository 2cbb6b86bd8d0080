"""Which process a node runs in."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from embodied.graph.plan import Plan, opens_world
from embodied.node.node import Guard

WORLD = "world"
"""Name of the process in which the bodies live."""


GATEWAY = "machines"
"""Name of the process in which other machines are reached."""


def processes(plan: Plan, cameras: Collection[str] = (), machine: str | None = None) -> dict[str, tuple[str, ...]]:
    """By process, its nodes.

    Nodes that live in the world share one process, guards never live there, cameras have their own; of the others,
    those share one that the launch file puts together.

    Args:
        plan: a graph that was proven.
        cameras: nodes that only look at the world, and can do so from elsewhere.
        machine: whose processes; None where there is only one.
    """
    here = {name: planned for name, planned in plan.nodes.items() if machine in (None, planned.machine)}
    bodies = [
        name
        for name, planned in here.items()
        if opens_world(planned.node) and name not in cameras and not isinstance(planned.node, Guard)
    ]
    taken = {*bodies, *cameras}
    found: dict[str, tuple[str, ...]] = {}
    if plan.graph.world is not None and (bodies or machine is None):
        found[_free(WORLD, plan.nodes)] = tuple(sorted(bodies))
    for group in plan.graph.processes:
        members = tuple(sorted(name for name in group if name in here and name not in taken))
        if members:
            found["+".join(members)] = members
            taken |= set(members)
    found |= {name: (name,) for name in sorted(here) if name not in taken or name in cameras}
    return found


def _free(name: str, nodes: Mapping[str, object]) -> str:
    return name if name not in nodes else f"the {name}"


def homes(plan: Plan, layout: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """By node, its process; where there are nodes of other machines, the layout gets the process that reaches them."""
    found = {node: process for process, nodes in layout.items() for node in nodes}
    elsewhere = [name for name in plan.nodes if name not in found]
    if elsewhere:
        gateway = _free(GATEWAY, plan.nodes)
        layout[gateway] = ()
        found |= dict.fromkeys(elsewhere, gateway)
    return found
