"""Validation of placement: machines, processes, and nodes that must share one of them."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.errors import Place, Problem, nearest
from embodied.graph.endpoint import MACHINE_NAME, Endpoint
from embodied.graph.entry import Entry
from embodied.graph.plan import opens_world
from embodied.graph.spec import GraphSpec
from embodied.graph.validate.draft import Draft
from embodied.graph.validate.timing import ages_by_measurement
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard


def check_placement(draft: Draft) -> Iterator[Problem]:
    """Validate the placement of nodes: machines and processes, and which machine each runs on.

    Args:
        draft: with the ports and the resolved wires.
    """
    graph = draft.graph
    yield from _check_machines(graph)
    yield from _check_processes(graph)
    for entry in graph.entries.values():
        if entry.machine is not None and entry.machine not in graph.machines:
            text = f"'{entry.name}' is to run on '{entry.machine}', and there is no such machine"
            help_ = nearest(entry.machine, graph.machines) or (
                f"add 'machines: {{{entry.machine}: \"tcp://192.168.1.10:7447\"}}', or leave out 'on'",
            )
            yield _at(entry, "E903", text, help_)
    yield from _check_guards(draft)
    yield from _check_measurements(draft)
    if graph.clock != "lockstep":
        yield from _check_world(draft)


def _at(entry: Entry, code: str, text: str, help_: tuple[str, ...]) -> Problem:
    return Problem(code, text, entry.place("on"), help_, where=f"node {entry.name}")


def _check_machines(graph: GraphSpec) -> Iterator[Problem]:
    """Check that each machine has a name and an endpoint of its own."""
    seen: dict[Endpoint, str] = {}
    for name, written in graph.machines.items():
        place, where = graph.places.get(("machines", name)), f"machine {name}"
        if not MACHINE_NAME.fullmatch(name):
            help_ = ("use a-z, 0-9 and _, and begin with a letter",)
            yield Problem("E103", f"'{name}' is not a name for a machine", place, help_, where=where)
        try:
            endpoint = Endpoint.of(written)
        except ValueError as error:
            help_ = ("write the address by which the other machines reach it, not 0.0.0.0, * or an interface",)
            yield Problem("E901", f"machine '{name}': {error}", place, help_, where=where)
            continue
        if endpoint in seen:
            first = graph.places.get(("machines", seen[endpoint]))
            also: tuple[tuple[Place, str], ...] = () if first is None else ((first, "first"),)
            text = f"'{seen[endpoint]}' and '{name}' have the same endpoint {endpoint}"
            yield Problem("E902", text, place, ("give one of them another port",), also, where)
        seen.setdefault(endpoint, name)


def _check_processes(graph: GraphSpec) -> Iterator[Problem]:
    """Check that each process group lists existing nodes, no node twice, and nodes of one machine."""
    seen: set[str] = set()
    for number, group in enumerate(graph.processes):
        places = [graph.places.get(("processes", str(number), str(index))) for index in range(len(group))]
        for name, place in zip(group, places, strict=True):
            if name not in graph.entries:
                text = f"'processes' names '{name}', and there is no such node"
                yield Problem("E302", text, place, nearest(name, graph.entries))
            elif name in seen:
                yield Problem("E302", f"'processes' names '{name}' twice", place)
            seen.add(name)
        there = [name for name in group if name in graph.entries]
        for name in there[1:]:
            one, other = graph.machine_of(there[0]), graph.machine_of(name)
            if one != other:
                text = f"'{there[0]}' on '{one}' and '{name}' on '{other}' cannot share a process"
                help_ = (f"write 'on: {one}' for both, or leave one of them out of the group",)
                yield Problem("E904", text, places[group.index(name)], help_, where=f"node {name}")


def _check_guards(draft: Draft) -> Iterator[Problem]:
    """Check that a guard runs on the machine of its driver: no link that may break stands between them."""
    graph, ports = draft.graph, draft.ports
    for name, entry in graph.entries.items():
        if name not in ports or not isinstance(entry.node, Driver):
            continue
        for port, (source, _) in draft.wires[name].items():
            guard = graph.entries[source]
            command = issubclass(ports[name].inputs[port].message, Command) and isinstance(guard.node, Guard)
            mine, theirs = graph.machine_of(name), graph.machine_of(source)
            if command and mine != theirs:
                text = f"the guard '{source}' runs on '{theirs}', and '{name}', which it commands, on '{mine}'"
                help_ = (f"write 'on: {mine}' for '{source}': no link may stand between a guard and its driver",)
                yield _at(guard, "E605", text, help_)


def _check_measurements(draft: Draft) -> Iterator[Problem]:
    """Check that what a guard goes by is measured on its machine: how long a link took, no clock knows."""
    graph, ports = draft.graph, draft.ports
    for name, entry in graph.entries.items():
        if name not in ports or not isinstance(entry.node, Guard):
            continue
        for port, (source, output) in draft.wires[name].items():
            mine, theirs = graph.machine_of(name), graph.machine_of(source)
            if mine != theirs and ages_by_measurement(entry.node, ports[name].inputs[port].message):
                text = (
                    f"'{name}' on '{mine}' goes by '{source}.{output}', which is measured on '{theirs}': "
                    "its age is not known here"
                )
                help_ = (f"write 'on: {mine}' for '{source}': sensors of a guard are on its machine",)
                yield Problem("E605", text, entry.place("in", port), help_, where=f"node {name}")


def _check_world(draft: Draft) -> Iterator[Problem]:
    """Check that all nodes of the simulated world run on one machine, since they share a process."""
    graph = draft.graph
    inside = [name for name in sorted(graph.entries) if name in draft.ports and opens_world(graph.entries[name].node)]
    for name in inside[1:]:
        first, other = graph.machine_of(inside[0]), graph.machine_of(name)
        if other != first:
            text = f"'{inside[0]}' on '{first}' and '{name}' on '{other}' live in one simulated world"
            yield _at(graph.entries[name], "E703", text, (f"write 'on: {first}' for both, in this profile",))
