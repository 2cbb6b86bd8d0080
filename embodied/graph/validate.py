"""The proof of a graph: every wire, rate, age and loop, before anything starts.

Codes: E2xx nodes and settings, E3xx wires, E4xx rates and ages, E5xx loops, E6xx safety, E7xx worlds, E8xx faults,
E9xx machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from embodied.clock import period, rate_of, show
from embodied.errors import FOREIGN, LaunchError, MissingExtra, Place, Problem, nearest, told
from embodied.graph.faults import Fault, resolve
from embodied.graph.graph import Entry, Graph, Wire
from embodied.graph.lossless import waiting
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.placement import misplaced
from embodied.graph.plan import Plan, Planned, Source, opens_world
from embodied.graph.reaction_time import reactions
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Command
from embodied.node.node import Driver, Guard
from embodied.node.ports import Input, PortError, Ports
from embodied.node.settings import SettingError
from embodied.plain_data import describe

COMMAND_AGE = 50_000_000
"""A command into a guard or a driver is stale after at most this [ns]: nothing may move on an older one."""

COMMAND_RATE = Fraction(40)
"""Slower sources than this [Hz] may not command, since three periods of theirs would exceed that age."""


LOOP_LATENCY = 100_000
"""A loop of trigger edges takes at least this long [ns]; one that takes less would step more than it could compute."""


@dataclass(slots=True)
class _Draft:
    """A plan in the making: what is known of each node so far, and what is wrong."""

    graph: Graph
    ports: dict[str, Ports] = field(default_factory=dict)
    rates: dict[str, Fraction | None] = field(default_factory=dict)
    wires: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, code: str, message: str, entry: Entry, *keys: str, **more: object) -> None:
        place = entry.place(*keys)
        self.problems.append(Problem(code, message, place, where=f"node {entry.name}", **more))  # type: ignore[arg-type]


def compile_plan(graph: Graph) -> Plan:
    """Prove a graph.

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
    draft = _Draft(graph)
    faults = _check_structure(draft)
    if draft.problems:
        raise LaunchError(draft.problems)
    periods = _periods(draft)
    nodes = {name: _finish(draft, graph.entries[name], periods) for name in sorted(graph.entries)}
    if draft.problems:
        raise LaunchError(draft.problems)
    return Plan(graph, nodes, tuple(reactions(nodes, periods)), periods, faults)


def check_without_drivers(graph: Graph) -> list[Problem]:
    """List what is wrong with a graph beside the drivers that it lacks: see `MissingDriver`.

    Wires to and from a missing driver are checked at their known end alone, and ages and rates only where they do not
    depend on one.
    """
    draft = _Draft(graph)
    _check_structure(draft)
    if not draft.problems:
        periods = _periods(draft)
        for entry in graph.entries.values():
            if entry.name in draft.ports:
                _finish(draft, entry, periods)
    return draft.problems


def _check_structure(draft: _Draft) -> tuple[Fault, ...]:
    """Check everything that does not depend on how often nodes publish, and spell out the targets of the faults."""
    graph = draft.graph
    if graph.world is not None:
        try:
            rate_of(graph.world.rate)
        except FOREIGN as error:
            draft.problems.append(Problem("E401", f"the world's rate: {error}"))
            return ()
    for entry in graph.entries.values():
        _read(draft, entry)
    for entry in graph.entries.values():
        _connect(draft, entry)
    _check_loops(draft)
    _check_bodies(draft)
    draft.problems += misplaced(graph, draft.ports, draft.wires)
    draft.problems += waiting(graph, draft.ports, draft.wires, draft.rates)
    return tuple(_faults(draft))


def _read(draft: _Draft, entry: Entry) -> None:
    """Ports, rate and the node's own check."""
    node, name = entry.node, entry.name
    try:
        draft.rates[name] = entry.rate
    except FOREIGN as error:
        draft.wrong("E401", f"'{name}': {error if isinstance(error, ValueError) else told(error)}", entry, "rate")
    if isinstance(node, MissingDriver):
        return
    try:
        ports = node.ports()
        if not isinstance(ports, Ports):
            raise TypeError(f"ports() gave {ports!r}")
        draft.ports[name] = ports
        lives_in_world = opens_world(node)
    except FOREIGN as error:
        reason = str(error) if isinstance(error, PortError) else told(error)
        draft.wrong("E209", f"cannot read the ports of '{name}': {reason}", entry, "use")
        lives_in_world = False
    for code, sentence in complaints(node):
        draft.wrong(code, f"'{name}': {sentence}", entry, "use")
    rate = draft.rates.get(name)
    if isinstance(node, Driver | Guard) and rate is None and name in draft.rates:
        draft.wrong(
            "E402", f"'{name}' is a driver or a guard and needs a rate", entry, "use", help=("add 'rate: 100'",)
        )
    if isinstance(node, Driver) and not lives_in_world and type(node).identify is Driver.identify:
        text = f"'{name}' does not say what it drives, so it could not be told from the wrong device"
        draft.wrong("E607", text, entry, "use", help=(f"define {type(node).__name__}.identify()",))
    if lives_in_world:
        world = draft.graph.world
        if world is None:
            text = f"'{name}' lives in a simulated world, and there is none"
            draft.wrong("E702", text, entry, "use", help=("run a profile that has a world, such as --sim",))
        elif rate is not None and (rate_of(world.rate) / rate).denominator != 1:
            fits = [str(r) for r in (1000, 500, 300, 240, 200, 150, 120, 100, 60, 50, 30, 20, 10) if not world.rate % r]
            text = f"'{name}' runs at {rate} Hz, which does not divide the world's {world.rate:g} Hz"
            draft.wrong("E403", text, entry, "rate", help=(f"rates that do: {', '.join(fits)}",))


def complaints(thing: object) -> list[tuple[str, str]]:
    """What a node or a world finds wrong with its own settings: a code and a sentence each."""
    checker = getattr(thing, "check", None)
    try:
        found = [] if checker is None else checker()
        if isinstance(found, str) or not isinstance(found, Iterable):
            raise TypeError(f"check() yields sentences, and gave {found!r}")
        return [("E207", str(sentence)) for sentence in found]
    except MissingExtra as error:
        return [("E208", str(error))]
    except FOREIGN as error:
        return [("E207", f"its check() raised {told(error)}")]


def _connect(draft: _Draft, entry: Entry) -> None:
    """Every wire of a node: does it lead somewhere, and do the two ends fit."""
    ports = draft.ports.get(entry.name)
    draft.wires[entry.name] = {}
    if ports is None:
        for name, wire in entry.wires.items():
            _resolve(draft, entry, name, wire)
        return
    for name, wire in entry.wires.items():
        if name not in ports.inputs:
            text = f"'{entry.name}' has no input '{name}'"
            draft.wrong("E301", text, entry, "in", name, help=nearest(name, ports.inputs))
            continue
        found = _resolve(draft, entry, name, wire)
        if found is not None:
            draft.wires[entry.name][name] = found
            _check_ends(draft, entry, ports.inputs[name], *found)
    for name, port in ports.inputs.items():
        if port.required and name not in entry.wires:
            text = f"'{entry.name}' needs its input '{name}' ({port}), and nothing is wired to it"
            draft.wrong("E304", text, entry, "in", help=_givers(draft, entry, port))
        elif name == _trigger(draft, entry.name) and name not in entry.wires:
            text = f"'{entry.name}' would never run: it has no rate, and nothing is wired to its first input '{name}'"
            draft.wrong("E304", text, entry, "in", help=_givers(draft, entry, port))
        if issubclass(port.message, Command) and (isinstance(entry.node, Driver) or opens_world(entry.node)):
            _check_guarded(draft, entry, name)


def _resolve(draft: _Draft, entry: Entry, name: str, wire: Wire) -> tuple[str, str] | None:
    node, dot, port = wire.source.partition(".")
    if node not in draft.graph.entries:
        text = f"'{entry.name}.{name}' is wired to '{wire.source}', and there is no node '{node}'"
        draft.wrong("E302", text, entry, "in", name, help=nearest(node, draft.graph.entries))
        return None
    if node not in draft.ports:
        return None
    outputs = draft.ports[node].outputs
    if not dot and outputs:
        return node, next(iter(outputs))
    if port not in outputs:
        what = f"no output '{port}'" if port else "no outputs"
        known = {f"{node}.{output}" for output in outputs}
        text = f"'{entry.name}.{name}' is wired to '{wire.source}', and '{node}' has {what}"
        draft.wrong("E302", text, entry, "in", name, help=nearest(wire.source, known))
        return None
    return node, port


def _check_ends(draft: _Draft, entry: Entry, taker: Input, node: str, port: str) -> None:
    giver = draft.ports[node].outputs[port]
    source = draft.graph.entries[node]
    also: tuple[tuple[Place, str], ...] = ()
    there = source.place("use")
    if there is not None:
        also = ((there, f"{giver.message.__name__} comes from here"),)
    if not issubclass(giver.message, taker.message):
        text = (
            f"type mismatch: '{node}.{port}' gives {giver.message.__name__}, "
            f"'{entry.name}.{taker.name}' takes {taker.message.__name__}"
        )
        help_ = _givers(draft, entry, taker)
        draft.wrong("E303", text, entry, "in", taker.name, help=help_, also=also)
        return
    if why := _backwards(draft, entry, taker, node):
        text = f"'{entry.name}.{taker.name}' is wired to '{node}.{port}', which is {why}"
        draft.wrong("E604", text, entry, "in", taker.name, help=_givers(draft, entry, taker), also=also)
        return
    for what, given, taken in _disagreements(giver.refined, taker.refined):
        text = f"'{node}.{port}' gives {what} {given}, '{entry.name}.{taker.name}' takes {taken}"
        draft.wrong("E305", text, entry, "in", taker.name, also=also)


def _disagreements(giver: Refinement, taker: Refinement) -> Iterator[tuple[str, object, object]]:
    if giver.frame is not None and taker.frame is not None and giver.frame != taker.frame:
        yield "the frame", f"'{giver.frame}'", f"'{taker.frame}'"
    for what in ("sizes", "dtypes", "units"):
        mine, theirs = getattr(giver, what), getattr(taker, what)
        for key in sorted(mine.keys() & theirs.keys()):
            if mine[key] != theirs[key]:
                yield f"{what.removesuffix('s')} {key} =", mine[key], theirs[key]
    if giver.modes is not None and taker.modes is not None and not giver.modes <= taker.modes:
        yield "commands by", " and ".join(sorted(giver.modes)), " or ".join(sorted(taker.modes))


def _givers(draft: _Draft, entry: Entry, taker: Input) -> tuple[str, ...]:
    """A help line naming the outputs that would fit an input; never what `_backwards` refuses, nor the node's own."""
    fits = [
        f"{node}.{output.name}"
        for node, ports in sorted(draft.ports.items())
        for output in ports.outputs.values()
        if issubclass(output.message, taker.message)
        and node != entry.name
        and not _backwards(draft, entry, taker, node)
    ]
    if not fits:
        return (f"no node here gives {taker.message.__name__}",)
    return (f"{taker.message.__name__} comes from {', '.join(fits)}: write '{taker.name}: {fits[0]}'",)


def _backwards(draft: _Draft, entry: Entry, taker: Input, node: str) -> str:
    """What a guard would be commanded by, if that is its own work or its driver's; empty: by somebody else."""
    if not (isinstance(entry.node, Guard) and issubclass(taker.message, Command)):
        return ""
    if node == entry.name:
        return "what it gives itself"
    return "what a driver did and not what it is to do" if isinstance(draft.graph.entries[node].node, Driver) else ""


def _check_guarded(draft: _Draft, entry: Entry, name: str) -> None:
    source = draft.wires[entry.name].get(name)
    if source is not None and isinstance(draft.graph.entries[source[0]].node, Guard):
        return
    if name in entry.wires and _is_missing(draft, entry.wires[name]):
        return
    guards = [other.name for other in draft.graph.entries.values() if isinstance(other.node, Guard)]
    fix = (
        f"wire it to a guard: '{name}: {guards[0]}'"
        if guards
        else "add a guard between them, such as embodied.guards:ArmGuard"
    )
    comes = f"comes from '{source[0]}', which is not a guard" if source else "does not come from a guard"
    draft.wrong("E601", f"nothing moves without a guard: '{entry.name}.{name}' {comes}", entry, "in", name, help=(fix,))


def _is_missing(draft: _Draft, wire: Wire) -> bool:
    """Whether a wire comes from a node that has no class yet."""
    source = draft.graph.entries.get(wire.source.partition(".")[0])
    return source is not None and isinstance(source.node, MissingDriver)


def _trigger(draft: _Draft, name: str) -> str | None:
    """The first input of a node without a rate."""
    if draft.rates.get(name) is not None or name not in draft.ports:
        return None
    return next(iter(draft.ports[name].inputs), None)


def _check_bodies(draft: _Draft) -> None:
    """No two drivers of the simulated world are the same: they would pull at one body."""
    seen: dict[str, str] = {}
    for name, entry in sorted(draft.graph.entries.items()):
        ports = draft.ports.get(name)
        takes = ports is not None and any(issubclass(port.message, Command) for port in ports.inputs.values())
        if not (takes and isinstance(entry.node, Driver) and opens_world(entry.node)):
            continue
        same = repr(describe(entry.node))
        if same in seen:
            text = f"'{seen[same]}' and '{name}' drive the same body of the world"
            draft.wrong("E603", text, entry, "use", help=("remove one of them; two guards may not command one arm",))
        seen.setdefault(same, name)


def _faults(draft: _Draft) -> Iterator[Fault]:
    """Each fault with its target spelled out; it strikes something that there is, in a time that can be rehearsed."""
    faults = draft.graph.faults
    if faults and draft.graph.clock != "lockstep":
        fix = "write 'faults:' into a profile with 'clock: lockstep'"
        text = f"'{faults[0]}' would go wrong on the clock '{draft.graph.clock}': a robot is not broken on purpose"
        draft.problems.append(Problem("E803", text, faults[0].place(faults[0].kind), (fix,), where="faults"))
    for fault in faults:
        if fault.node in draft.graph.entries and fault.node not in draft.ports:
            continue
        try:
            yield resolve(fault, draft.ports)
        except SettingError as error:
            place = fault.place(error.path[0])
            where = f"fault {fault.target}"
            draft.problems.append(Problem("E802", f"{fault.kind}: {error}", place, error.help, where=where))


def _check_loops(draft: _Draft) -> None:
    """A cycle of trigger edges never comes to an end within one instant, unless a latency lies in it."""
    before: dict[str, str] = {}
    for name in draft.graph.entries:
        trigger = _trigger(draft, name)
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
        trigger = _trigger(draft, loop[0]) or ""
        draft.wrong("E501", f"these nodes trigger each other without end: {spelled}", entry, "in", trigger, help=(fix,))


def _periods(draft: _Draft) -> dict[str, int | None]:
    """How often each node publishes [ns]: its rate's period, else that of what triggers it, and never while busy."""
    found: dict[str, int | None] = {}
    for start in draft.graph.entries:
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in found and name not in path:
            path.append(name)
            name = _triggering(draft, name)
        for node in reversed(path):
            rate, timing = draft.rates[node], draft.graph.entries[node].timing
            busy = timing.latency + timing.jitter
            if rate is not None:
                # Ticks that come while it is busy are missed.
                found[node] = period(rate) * max(1, -(-busy // period(rate)))
                continue
            source = _triggering(draft, node)
            every = None if source is None else found.get(source)
            found[node] = None if every is None else max(every, busy)
    return found


def _triggering(draft: _Draft, name: str) -> str | None:
    """The node whose outputs make a node step, though it may have no class yet; None for a rated node."""
    trigger = _trigger(draft, name)
    if trigger in draft.wires[name]:
        return draft.wires[name][trigger][0]
    wire = draft.graph.entries[name].wires.get(trigger or "")
    return wire.source.partition(".")[0] if wire is not None and _is_missing(draft, wire) else None


def _waits_for_driver(draft: _Draft, name: str) -> bool:
    """Whether how often a node publishes depends on a driver that is missing."""
    seen: set[str | None] = set()
    node: str | None = name
    while node is not None and node not in seen and draft.rates[node] is None:
        if isinstance(draft.graph.entries[node].node, MissingDriver):
            return True
        seen.add(node)
        node = _triggering(draft, node)
    return False


def _finish(draft: _Draft, entry: Entry, periods: Mapping[str, int | None]) -> Planned:
    ports = draft.ports[entry.name]
    sources: dict[str, Source] = {}
    for name, (node, port) in draft.wires[entry.name].items():
        wire = entry.wires[name]
        age = _max_age(draft, entry, ports.inputs[name], wire, periods[node], f"{node}.{port}")
        sources[name] = Source(node, port, age, wire.bound, wire.lossless, apart=wire.max_age is not None)
    trigger = _trigger(draft, entry.name)
    return Planned(
        entry.name,
        entry.node,
        ports,
        draft.rates[entry.name],
        entry.timing,
        trigger,
        {k: sources[k] for k in ports.inputs if k in sources},
        draft.graph.machine_of(entry.name),
        entry.restart,
    )


def _max_age(draft: _Draft, entry: Entry, port: Input, wire: Wire, every: int | None, topic: str) -> int | None:
    default = None if every is None else 3 * every
    if port.delivery == "every":
        if issubclass(port.message, Command) and isinstance(entry.node, Driver | Guard):
            text = f"'{entry.name}.{port.name}' takes a list of commands, which never go stale"
            fix = (f"let it take '{port.message.__name__} | None'",)
            draft.wrong("E602", text, entry, "in", port.name, help=fix)
        return None
    if not (issubclass(port.message, Command) and isinstance(entry.node, Driver | Guard)):
        age = wire.max_age if wire.max_age is not None else default
        if age is None and isinstance(entry.node, Guard) and not _waits_for_driver(draft, topic.partition(".")[0]):
            text = f"'{topic}' comes at no known rate, so '{entry.name}.{port.name}' would never be seen to be silent"
            help_ = (f"give its source a rate, or write '{port.name}: {{from: {wire.source}, max_age: 100ms}}'",)
            draft.wrong("E408", text, entry, "in", port.name, help=help_)
        return age
    if every is None and _waits_for_driver(draft, topic.partition(".")[0]):
        return wire.max_age
    if every is None or every > period(COMMAND_RATE):
        rate = "at no known rate" if every is None else f"at {1e9 / every:.4g} Hz"
        text = f"'{topic}' comes {rate}, too slow to command '{entry.name}.{port.name}'"
        draft.wrong(
            "E404", text, entry, "in", port.name, help=(f"a source of commands runs at {COMMAND_RATE} Hz or more",)
        )
        return None
    if wire.max_age is not None and wire.max_age > COMMAND_AGE:
        text = (
            f"'{entry.name}.{port.name}' would follow a command for {show(wire.max_age)} after its source fell silent"
        )
        draft.wrong("E404", text, entry, "in", port.name, help=(f"write a max_age of {show(COMMAND_AGE)} or less",))
    return wire.max_age if wire.max_age is not None else min(3 * every, COMMAND_AGE)
