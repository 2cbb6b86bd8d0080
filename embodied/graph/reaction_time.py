"""Reaction times: worst-case time until an actuator holds after a node has failed, from the plan alone.

A failed node publishes nothing more. Whatever depends on it falls silent in turn: a triggered node at once, a node with
a required input once that is stale, and an output that may be None once one of the node's optional inputs is None (a
node whose optional output does not follow this rule has no bound; its author declares that output as not optional). A
guard never falls silent: it holds, as soon as it sees no command. The actuator itself is among the nodes that fail: so
long is it commanded blindly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from embodied.graph.plan import Planned, Reaction
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard


def reactions(nodes: Mapping[str, Planned], periods: Mapping[str, int | None]) -> Iterator[Reaction]:
    """Compute the reaction time of every actuator to the failure of every node that its command depends on.

    Args:
        nodes: of the plan, by name.
        periods: time between publications of each node [ns]; None where that is not known, or once.
    """
    for name, actuator in nodes.items():
        commands = [
            source.node
            for port, source in actuator.sources.items()
            if isinstance(actuator.node, Driver) and issubclass(actuator.ports.inputs[port].message, Command)
        ]
        for guard in commands:
            for dead in sorted(_upstream(nodes, guard)):
                within = _hold(nodes, periods, name, guard, dead)
                # An actuator without a state is commanded blindly, which is no failure of its own.
                if dead != name or within is not None:
                    yield Reaction(name, dead, within)


def _upstream(nodes: Mapping[str, Planned], name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += [source.node for source in nodes[node].sources.values()]
    return found


def _hold(
    nodes: Mapping[str, Planned], periods: Mapping[str, int | None], actuator: str, guard: str, dead: str
) -> int | None:
    response = _response(nodes[actuator], periods)
    if dead == guard:
        ages = [s.max_age for s in nodes[actuator].sources.values() if s.node == guard]
        return None if ages[0] is None else ages[0] + response
    silent = _silences(nodes, dead)
    planned = nodes[guard]
    times = [
        silent[source.node, source.port] + source.max_age
        for name, source in planned.sources.items()
        if source.max_age is not None and (source.node, source.port) in silent and not _outranks(planned, name)
    ]
    return min(times) + _response(planned, periods) + response if times else None


def _outranks(planned: Planned, name: str) -> bool:
    """Return whether a lower rank takes over when an input is silent; silence of any other input makes a guard hold."""
    ranks = planned.node.ranks if isinstance(planned.node, Guard) else ()
    return name in ranks and any(lower in planned.sources for lower in ranks[ranks.index(name) + 1 :])


def _response(planned: Planned, periods: Mapping[str, int | None]) -> int:
    """Return the worst-case time from an input of a rated node to its output [ns]: its next tick, and its own work."""
    return (periods[planned.name] or 0) + planned.timing.latency + planned.timing.jitter


def _silences(nodes: Mapping[str, Planned], dead: str) -> dict[tuple[str, str], int]:
    """Compute when each output falls silent after the last publication of the dead node [ns]; absent: never."""
    silent: dict[tuple[str, str], int] = {(dead, port): 0 for port in nodes[dead].ports.outputs}
    changed = True
    while changed:
        changed = False
        for name, planned in nodes.items():
            if name == dead or isinstance(planned.node, Guard):
                continue
            for port, output in planned.ports.outputs.items():
                when = _falls_silent(planned, output.optional, silent)
                if when is not None and when < silent.get((name, port), 1 << 62):
                    silent[name, port] = when
                    changed = True
    return silent


def _falls_silent(planned: Planned, optional: bool, silent: Mapping[tuple[str, str], int]) -> int | None:
    times = []
    for name, source in planned.sources.items():
        since = silent.get((source.node, source.port))
        if since is None:
            continue
        if name == planned.trigger:
            times.append(since)
        elif source.max_age is not None and (planned.ports.inputs[name].required or optional):
            times.append(since + source.max_age)
    return min(times) + planned.timing.latency + planned.timing.jitter if times else None
