"""Validation of timing: loops of triggers, publication periods, and the age at which each input is stale."""

from __future__ import annotations

from fractions import Fraction

from embodied.clock import period, show
from embodied.graph.entry import Entry
from embodied.graph.validate.draft import Draft
from embodied.messages.schema import Command, Message, schema
from embodied.node.node import Driver, Guard, Node

COMMAND_AGE = 50_000_000
"""Upper bound on `max_age` of a command to a guard or a driver [ns]."""

MEASUREMENT_AGE = 5_000_000_000
"""Upper bound on a stated `max_age` of a measurement that a guard goes by [ns]."""

COMMAND_RATE = Fraction(40)
"""Lowest rate of a source of commands [Hz]; three periods of a slower one would exceed `COMMAND_AGE`."""

STALE_AFTER = 3
"""Default age at which a value is stale [periods of its source]."""

LOOP_LATENCY = 100_000
"""Lowest latency of a loop of trigger edges [ns]; a shorter one would step more often than it could compute."""


def check_loops(draft: Draft) -> None:
    """Validate that every loop of triggers has a latency, or it would never end within one instant.

    Args:
        draft: gets the problems.
    """
    before: dict[str, str] = {}
    for name in draft.graph.entries:
        trigger = draft.trigger(name)
        if trigger is not None and trigger in draft.wires[name]:
            before[name] = draft.wires[name][trigger][0]
    seen: set[str] = set()
    for start in sorted(before):
        path: list[str] = []
        name = start
        while name in before and name not in path and name not in seen:
            path.append(name)
            name = before[name]
        seen.update(path)
        if name not in path:
            continue
        loop = path[path.index(name) :][::-1]
        first = loop.index(min(loop))
        loop = loop[first:] + loop[:first]
        if sum(draft.graph.entries[node].timing.latency for node in loop) >= LOOP_LATENCY:
            continue
        entry = draft.graph.entries[loop[0]]
        spelled = " -> ".join([*loop, loop[0]])
        fix = f"let one of them have a rate, or a latency of {show(LOOP_LATENCY)}, or take another first input"
        text = f"these nodes trigger each other without end: {spelled}"
        draft.report("E501", text, entry, "in", draft.trigger(loop[0]) or "", fixes=(fix,))


def publication_periods(draft: Draft) -> dict[str, int | None]:
    """Compute the time between publications of each node [ns]: its rate's period, else that of its trigger.

    A node that is busy publishes no sooner than it is done. None where the period is not known, or for a node that
    steps once.
    """
    periods: dict[str, int | None] = {}
    for start in draft.graph.entries:
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in periods and name not in path:
            path.append(name)
            name = _triggering_node(draft, name)
        for node in reversed(path):
            rate, timing = draft.rates[node], draft.graph.entries[node].timing
            busy = timing.latency + timing.jitter
            if rate is not None:
                # Ticks that come while it is busy are missed.
                periods[node] = period(rate) * max(1, -(-busy // period(rate)))
                continue
            source = _triggering_node(draft, node)
            every = None if source is None else periods.get(source)
            periods[node] = None if every is None else max(every, busy)
    return periods


def _triggering_node(draft: Draft, name: str) -> str | None:
    """Return the node whose outputs make a node step, even if that lacks its driver; None for a rated node."""
    trigger = draft.trigger(name)
    if trigger is None:
        return None
    if trigger in draft.wires[name]:
        return draft.wires[name][trigger][0]
    wire = draft.graph.entries[name].wires.get(trigger)
    return wire.node if wire is not None and draft.lacks_driver(wire.node) else None


def _waits_for_driver(draft: Draft, name: str) -> bool:
    """Return whether the period of a node depends on a driver that is missing."""
    seen: set[str] = set()
    node: str | None = name
    while node is not None and node not in seen and draft.rates[node] is None:
        if draft.lacks_driver(node):
            return True
        seen.add(node)
        node = _triggering_node(draft, node)
    return False


def ages_by_measurement(node: Node, message: type[Message]) -> bool:
    """Return whether messages to a node are as old as their measurement: those that a guard goes by.

    A device or a scanner that is stuck repeats what it measured last, and each repetition is newly published.
    """
    return isinstance(node, Guard) and any(field.name == "acquired" for field in schema(message))


def max_age(draft: Draft, entry: Entry, name: str, every: int | None) -> int | None:
    """Return the age at which an input is stale [ns], as its wire states or from the period of its source.

    Args:
        draft: gets the problems: an input of a guard or a command that would never be stale, or too late.
        entry: the subscribing node.
        name: of its input.
        every: period of the source [ns]; None where it is not known.
    """
    port, wire = draft.ports[entry.name].inputs[name], entry.wires[name]
    source, output = draft.wires[entry.name][name]
    topic = f"{source}.{output}"
    acts = isinstance(entry.node, Driver | Guard)
    command = acts and issubclass(port.message, Command)
    if port.delivery == "every":
        if command:
            text = f"'{entry.name}.{name}' takes a list of commands, which never go stale"
            fix = f"let it take '{port.message.__name__} | None'"
            draft.report("E602", text, entry, "in", name, fixes=(fix,))
        return None
    if not command:
        age = wire.max_age
        if age is None and every is not None:
            age = STALE_AFTER * every
            if ages_by_measurement(entry.node, port.message):
                # A measurement is that much older than its publication.
                timing = draft.graph.entries[source].timing
                age += timing.latency + timing.jitter
        elif age is not None and age > MEASUREMENT_AGE and ages_by_measurement(entry.node, port.message):
            text = f"'{entry.name}' would go by '{topic}' for {show(age)} after its source fell silent"
            draft.report(
                "E408", text, entry, "in", name, fixes=(f"write a max_age of {show(MEASUREMENT_AGE)} or less",)
            )
        if age is None and isinstance(entry.node, Guard) and not _waits_for_driver(draft, source):
            text = f"'{topic}' comes at no known rate, so '{entry.name}.{name}' would never be seen to be silent"
            fix = f"give its source a rate, or write '{name}: {{from: {wire.source}, max_age: 100ms}}'"
            draft.report("E408", text, entry, "in", name, fixes=(fix,))
        return age
    if every is None and _waits_for_driver(draft, source):
        return wire.max_age
    if every is None or every > period(COMMAND_RATE):
        rate = "at no known rate" if every is None else f"at {1e9 / every:.4g} Hz"
        text = f"'{topic}' comes {rate}, too slow to command '{entry.name}.{name}'"
        fix = f"a source of commands runs at {COMMAND_RATE} Hz or more"
        draft.report("E404", text, entry, "in", name, fixes=(fix,))
        return None
    if wire.max_age is not None and wire.max_age > COMMAND_AGE:
        text = f"'{entry.name}.{name}' would follow a command for {show(wire.max_age)} after its source fell silent"
        draft.report("E404", text, entry, "in", name, fixes=(f"write a max_age of {show(COMMAND_AGE)} or less",))
    return wire.max_age if wire.max_age is not None else min(STALE_AFTER * every, COMMAND_AGE)
