"""Compilation of a graph to a plan: run every validation, then fix sources, ages and reaction times."""

from __future__ import annotations

from collections.abc import Mapping

from embodied.clock import rate_of
from embodied.errors import LaunchError, Problem
from embodied.graph.entry import Entry
from embodied.graph.faults import Fault
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.plan import Plan, Planned, Source
from embodied.graph.reaction_time import reactions
from embodied.graph.spec import GraphSpec
from embodied.graph.validate.draft import Draft
from embodied.graph.validate.injected_faults import check_faults
from embodied.graph.validate.lossless import check_lossless
from embodied.graph.validate.nodes import check_node
from embodied.graph.validate.placement import check_placement
from embodied.graph.validate.safety import check_claims, check_guarded
from embodied.graph.validate.timing import ages_by_measurement, check_loops, max_age, publication_periods
from embodied.graph.validate.wires import check_wires
from embodied.interrupts import foreign


def compile_plan(graph: GraphSpec) -> Plan:
    """Validate a graph and return the plan that a runner follows.

    Raises:
        LaunchError: with every problem found.
    """
    missing = [entry for entry in graph.entries.values() if isinstance(entry.node, MissingDriver)]
    if missing:
        problems = [
            Problem("E206", f"'{entry.name}' has no driver", entry.place(), where=f"node {entry.name}")
            for entry in missing
        ]
        raise LaunchError([*problems, *check_without_drivers(graph)])
    draft = Draft(graph)
    faults = _check_structure(draft)
    if draft.problems:
        raise LaunchError(draft.problems)
    periods = publication_periods(draft)
    nodes = {name: _plan(draft, graph.entries[name], periods) for name in sorted(graph.entries)}
    if draft.problems:
        raise LaunchError(draft.problems)
    return Plan(graph, nodes, tuple(reactions(nodes, periods)), periods, faults)


def check_without_drivers(graph: GraphSpec) -> list[Problem]:
    """Compile a graph as far as it goes, and list what is wrong beside the drivers that it lacks: see `MissingDriver`.

    Wires to and from a missing driver are checked at their known end alone, and ages and rates only where they do not
    depend on one.
    """
    draft = Draft(graph)
    _check_structure(draft)
    if not draft.problems:
        periods = publication_periods(draft)
        for entry in graph.entries.values():
            if entry.name in draft.ports:
                _plan(draft, entry, periods)
    return draft.problems


def _check_structure(draft: Draft) -> tuple[Fault, ...]:
    """Check everything that does not depend on publication periods, and return the faults with their full targets."""
    graph = draft.graph
    if graph.world is not None:
        try:
            rate_of(graph.world.rate)
        except foreign() as error:
            draft.problems.append(Problem("E401", f"the world's rate: {error}"))
            return ()
    for entry in graph.entries.values():
        check_node(draft, entry)
    for entry in graph.entries.values():
        check_wires(draft, entry)
        check_guarded(draft, entry)
    check_loops(draft)
    check_claims(draft)
    draft.problems += check_placement(draft)
    draft.problems += check_lossless(draft)
    return tuple(check_faults(draft))


def _plan(draft: Draft, entry: Entry, periods: Mapping[str, int | None]) -> Planned:
    ports = draft.ports[entry.name]
    sources: dict[str, Source] = {}
    for name, (node, port) in draft.wires[entry.name].items():
        wire, age = entry.wires[name], max_age(draft, entry, name, periods[node])
        # Another machine's measurements are timed by its own clock.
        there = draft.graph.machine_of(node) == draft.graph.machine_of(entry.name)
        measured = there and ages_by_measurement(entry.node, draft.ports[entry.name].inputs[name].message)
        apart = wire.max_age is not None
        sources[name] = Source(node, port, age, wire.bound, wire.lossless, apart=apart, measured=measured)
    return Planned(
        entry.name,
        entry.node,
        ports,
        draft.rates[entry.name],
        entry.timing,
        draft.trigger(entry.name),
        {name: sources[name] for name in ports.inputs if name in sources},
        draft.graph.machine_of(entry.name),
        entry.restart,
    )
