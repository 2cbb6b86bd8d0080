"""Validation of safety: no actuator without a guard, no guard commanded by itself, no device or body with two drivers.

Law: the same address, serial number or body twice in a graph is refused.
"""

from __future__ import annotations

from embodied.graph.entry import Entry
from embodied.graph.plan import opens_world
from embodied.graph.validate.draft import Draft
from embodied.interrupts import foreign
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard
from embodied.node.ports import Input
from embodied.plain_data import describe


def feedback(draft: Draft, entry: Entry, subscriber: Input, node: str) -> str:
    """Explain why a node may not command a guard: it is the guard itself, or its driver.

    Args:
        draft: the graph under validation.
        entry: the commanded node.
        subscriber: the input that takes the command.
        node: name of the commanding node.

    Returns:
        a description of the command; empty where the node may command.
    """
    if not (isinstance(entry.node, Guard) and issubclass(subscriber.message, Command)):
        return ""
    if node == entry.name:
        return "what it gives itself"
    return "what a driver did and not what it is to do" if isinstance(draft.graph.entries[node].node, Driver) else ""


def check_guarded(draft: Draft, entry: Entry) -> None:
    """Validate that every command to an actuator comes from a guard.

    Args:
        draft: gets the problems.
        entry: the node, an actuator or not.
    """
    ports = draft.ports.get(entry.name)
    if ports is None or not (isinstance(entry.node, Driver) or opens_world(entry.node)):
        return
    for name, port in ports.inputs.items():
        source = draft.wires[entry.name].get(name)
        guarded = source is not None and isinstance(draft.graph.entries[source[0]].node, Guard)
        if guarded or not issubclass(port.message, Command):
            continue
        if name in entry.wires and draft.lacks_driver(entry.wires[name].node):
            continue
        guards = [other.name for other in draft.graph.entries.values() if isinstance(other.node, Guard)]
        fix = (
            f"wire it to a guard: '{name}: {guards[0]}'"
            if guards
            else "add a guard between them, such as embodied.guards:ArmGuard"
        )
        comes = f"comes from '{source[0]}', which is not a guard" if source else "does not come from a guard"
        text = f"nothing moves without a guard: '{entry.name}.{name}' {comes}"
        draft.report("E601", text, entry, "in", name, fixes=(fix,))


def check_claims(draft: Draft) -> None:
    """Validate that no two nodes use one device, one address, one serial number or one body of the world.

    Args:
        draft: gets the problems.
    """
    holders: dict[str, str] = {}
    for name, entry in sorted(draft.graph.entries.items()):
        for claim, what in _claims(draft, entry).items():
            if claim in holders:
                text = f"'{holders[claim]}' and '{name}' both need {what}, which one node alone can have"
                draft.report("E603", text, entry, "use", fixes=("remove one of them, or give each its own",))
            holders.setdefault(claim, name)


def _claims(draft: Draft, entry: Entry) -> dict[str, str]:
    """Return what a node claims, in words; a driver of the world that claims nothing is known by its settings."""
    try:
        claims = {str(claim): str(claim) for claim in entry.node.claims()}
    except foreign():
        claims = {}  # with settings that its own check refuses
    ports = draft.ports.get(entry.name)
    commanded = ports is not None and any(issubclass(port.message, Command) for port in ports.inputs.values())
    if not claims and commanded and isinstance(entry.node, Driver) and opens_world(entry.node):
        claims[repr(describe(entry.node))] = "the same body of the world"
    return claims
