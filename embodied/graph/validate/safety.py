"""Validation of safety: no actuator without a guard, no guard commanded by itself, no body with two drivers."""

from __future__ import annotations

from embodied.graph.entry import Entry
from embodied.graph.plan import opens_world
from embodied.graph.validate.draft import Draft
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


def check_bodies(draft: Draft) -> None:
    """Validate that no two drivers of the simulated world actuate the same body.

    Args:
        draft: gets the problems.
    """
    drivers: dict[str, str] = {}
    for name, entry in sorted(draft.graph.entries.items()):
        ports = draft.ports.get(name)
        commanded = ports is not None and any(issubclass(port.message, Command) for port in ports.inputs.values())
        if not (commanded and isinstance(entry.node, Driver) and opens_world(entry.node)):
            continue
        body = repr(describe(entry.node))
        if body in drivers:
            text = f"'{drivers[body]}' and '{name}' drive the same body of the world"
            fixes = ("remove one of them; two guards may not command one arm",)
            draft.report("E603", text, entry, "use", fixes=fixes)
        drivers.setdefault(body, name)
