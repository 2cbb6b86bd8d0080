"""A fragment in a namespace.

Its nodes are `left/arm`, and its wires lead to its own nodes unless they begin with a slash.
"""

from __future__ import annotations

from typing import Any

from embodied.errors import Problem
from embodied.graph.entry import NODE_NAME
from embodied.graph.faults import KINDS
from embodied.launch.yaml_document import Item, entries


def into_namespace(root: Item, namespace: Item, problems: list[Problem]) -> Item:
    """A fragment with all node names, wires, process groups and faults moved into a namespace.

    Robots, machines and worlds are shared and keep their names.
    """
    name = namespace.value
    if not isinstance(name, str) or not NODE_NAME.fullmatch(name):
        message = f"expected a namespace of a-z, 0-9 and _, got {name!r}"
        problems.append(Problem("E104", message, namespace.place))
        return root
    made = _section(root, name)
    profiles = made.value.get("profiles")
    if profiles is not None and profiles.value is not None:
        moved = {key: _section(profile, name) for key, profile in profiles.value.items()}
        made.value["profiles"] = Item(moved, profiles.place, profiles.key)
    return made


def _section(item: Item, name: str) -> Item:
    if not isinstance(item.value, dict):
        return item
    made = dict(item.value)
    if entries(item, "nodes"):
        nodes = made["nodes"]
        moved = {f"{name}/{key}": _node(node, name) for key, node in nodes.value.items()}
        made["nodes"] = Item(moved, nodes.place, nodes.key)
    if entries(item, "processes"):
        groups = made["processes"]
        renamed = [
            Item([Item(_absolute(entry.value, name), entry.place) for entry in group.value], group.place)
            for group in groups.value
        ]
        made["processes"] = Item(renamed, groups.place, groups.key)
    if entries(item, "faults"):
        faults = made["faults"]
        made["faults"] = Item([_fault(fault, name) for fault in faults.value], faults.place, faults.key)
    return Item(made, item.place, item.key)


def _fault(fault: Item, name: str) -> Item:
    moved = {
        key: Item(_absolute(entry.value, name), entry.place, entry.key) if key in KINDS else entry
        for key, entry in fault.value.items()
    }
    return Item(moved, fault.place, fault.key)


def _node(node: Item, name: str) -> Item:
    if not isinstance(node.value, dict) or "in" not in node.value or node.value["in"].value is None:
        return node
    wires = node.value["in"]
    moved = {}
    for port, wire in wires.value.items():
        if isinstance(wire.value, dict) and "from" in wire.value:
            source = wire.value["from"]
            entry = Item(_absolute(source.value, name), source.place, source.key)
            moved[port] = Item({**wire.value, "from": entry}, wire.place, wire.key)
        else:
            moved[port] = wire
    return Item({**node.value, "in": Item(moved, wires.place, wires.key)}, node.place, node.key)


def _absolute(source: Any, name: str) -> Any:
    # What is not text is left for the check of the whole to name.
    if not isinstance(source, str):
        return source
    return source[1:] if source.startswith("/") else f"{name}/{source}"
