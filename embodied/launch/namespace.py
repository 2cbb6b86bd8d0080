"""Namespaces of fragments: nodes become `left/arm`, and wires lead to nodes of the same fragment.

A wire that begins with a slash leads out of the namespace.
"""

from __future__ import annotations

from typing import Any

from embodied.errors import LaunchError, Problem
from embodied.graph.entry import NODE_NAME
from embodied.graph.faults import KINDS
from embodied.launch.yaml_document import Item, entries
from embodied.untrusted.text import shown


def into_namespace(fragment: Item, namespace: Item) -> Item:
    """Move the node names, wires, process groups and faults of a fragment into a namespace.

    Robots, machines and worlds are shared and keep their names.

    Args:
        fragment: the fragment, which is not changed.
        namespace: name of the namespace, with its place.

    Raises:
        LaunchError: it is not a name.
    """
    name = namespace.value
    if not isinstance(name, str) or not NODE_NAME.fullmatch(name):
        message = f"expected a namespace of a-z, 0-9 and _, got {shown(name)}"
        raise LaunchError([Problem("E104", message, namespace.place)])
    moved = _section(fragment, name)
    profiles = moved.value.get("profiles")
    if profiles is not None and profiles.value is not None:
        layers = {key: _section(profile, name) for key, profile in profiles.value.items()}
        moved.value["profiles"] = Item(layers, profiles.place, profiles.key)
    return moved


def _section(item: Item, name: str) -> Item:
    if not isinstance(item.value, dict):
        return item
    moved = dict(item.value)
    if entries(item, "nodes"):
        nodes = moved["nodes"]
        renamed = {f"{name}/{key}": _node(node, name) for key, node in nodes.value.items()}
        moved["nodes"] = Item(renamed, nodes.place, nodes.key)
    if entries(item, "processes"):
        groups = moved["processes"]
        renamed_groups = [
            Item([Item(_absolute(entry.value, name), entry.place) for entry in group.value], group.place)
            for group in groups.value
        ]
        moved["processes"] = Item(renamed_groups, groups.place, groups.key)
    if entries(item, "faults"):
        faults = moved["faults"]
        moved["faults"] = Item([_fault(fault, name) for fault in faults.value], faults.place, faults.key)
    return Item(moved, item.place, item.key)


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
    # A reference may stand for something else than text; the builder reports it.
    if not isinstance(source, str):
        return source
    return source[1:] if source.startswith("/") else f"{name}/{source}"
