"""Which process a node runs in."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from embodied.node import Guard
from embodied.plan import Plan, opens_world

WORLD = "world"
"""Name of the process in which the bodies live."""


def processes(plan: Plan, cameras: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """By process, its nodes.

    Nodes that live in the world share one process, guards never live there, cameras have their own; of the others,
    those share one that the launch file puts together.

    Args:
        plan: a graph that was proven.
        cameras: nodes that only look at the world, and can do so from elsewhere.
    """
    bodies = [
        name
        for name, planned in plan.nodes.items()
        if opens_world(planned.node) and name not in cameras and not isinstance(planned.node, Guard)
    ]
    taken = {*bodies, *cameras}
    found: dict[str, tuple[str, ...]] = {}
    if plan.graph.world is not None:
        found[_free(WORLD, plan.nodes)] = tuple(sorted(bodies))
    for group in plan.graph.processes:
        members = tuple(sorted(name for name in group if name in plan.nodes and name not in taken))
        if members:
            found["+".join(members)] = members
            taken |= set(members)
    found |= {name: (name,) for name in sorted(plan.nodes) if name not in taken or name in cameras}
    return found


def _free(name: str, nodes: Mapping[str, object]) -> str:
    return name if name not in nodes else f"the {name}"
