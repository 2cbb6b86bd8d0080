"""Validation of wires: each leads to an output, and both ends agree on type, frame, sizes and units."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.errors import Place, nearest
from embodied.graph.entry import Entry, Wire
from embodied.graph.validate.draft import Draft
from embodied.graph.validate.safety import feedback
from embodied.messages.constraints import Refinement
from embodied.node.ports import Input


def check_wires(draft: Draft, entry: Entry) -> None:
    """Validate every wire of a node, and check that no required input is left open.

    Args:
        draft: gets the resolved wires and the problems.
        entry: the node.
    """
    ports = draft.ports.get(entry.name)
    draft.wires[entry.name] = {}
    if ports is None:
        for name, wire in entry.wires.items():
            _resolve(draft, entry, name, wire)
        return
    for name, wire in entry.wires.items():
        if name not in ports.inputs:
            text = f"'{entry.name}' has no input '{name}'"
            draft.report("E301", text, entry, "in", name, fixes=nearest(name, ports.inputs))
            continue
        source = _resolve(draft, entry, name, wire)
        if source is not None:
            draft.wires[entry.name][name] = source
            _check_ends(draft, entry, ports.inputs[name], *source)
    for name, port in ports.inputs.items():
        if port.required and name not in entry.wires:
            text = f"'{entry.name}' needs its input '{name}' ({port}), and nothing is wired to it"
            draft.report("E304", text, entry, "in", fixes=_candidates(draft, entry, port))
        elif name == draft.trigger(entry.name) and name not in entry.wires:
            text = f"'{entry.name}' would never run: it has no rate, and nothing is wired to its first input '{name}'"
            draft.report("E304", text, entry, "in", fixes=_candidates(draft, entry, port))


def _resolve(draft: Draft, entry: Entry, name: str, wire: Wire) -> tuple[str, str] | None:
    node, dot, port = wire.source.partition(".")
    if node not in draft.graph.entries:
        text = f"'{entry.name}.{name}' is wired to '{wire.source}', and there is no node '{node}'"
        draft.report("E302", text, entry, "in", name, fixes=_as_ours(draft, wire.source))
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
        draft.report("E302", text, entry, "in", name, fixes=nearest(wire.source, known))
        return None
    return node, port


def _as_ours(draft: Draft, source: str) -> tuple[str, ...]:
    """Write the help for a source that names no node: in our words, if it is a topic or a timer of another's."""
    if source.startswith("dora/timer/"):
        return ("a timer is the node's own rate: write 'rate: 30' [Hz] at the node, and no wire",)
    node, slash, output = source.strip("/").rpartition("/")
    if slash and node in draft.ports and output in draft.ports[node].outputs:
        return (f"a dot separates the output from its node: '{node}.{output}'",)
    if slash and node in draft.graph.entries and node in draft.ports:
        return nearest(f"{node}.{output}", {f"{node}.{name}" for name in draft.ports[node].outputs})
    return nearest(source.partition(".")[0], draft.graph.entries)


def _check_ends(draft: Draft, entry: Entry, subscriber: Input, node: str, port: str) -> None:
    publisher = draft.ports[node].outputs[port]
    also: tuple[tuple[Place, str], ...] = ()
    there = draft.graph.entries[node].place("use")
    if there is not None:
        also = ((there, f"{publisher.message.__name__} comes from here"),)
    name = subscriber.name
    if not issubclass(publisher.message, subscriber.message):
        text = (
            f"type mismatch: '{node}.{port}' gives {publisher.message.__name__}, "
            f"'{entry.name}.{name}' takes {subscriber.message.__name__}"
        )
        draft.report("E303", text, entry, "in", name, fixes=_candidates(draft, entry, subscriber), also=also)
        return
    if why := feedback(draft, entry, subscriber, node):
        text = f"'{entry.name}.{name}' is wired to '{node}.{port}', which is {why}"
        draft.report("E604", text, entry, "in", name, fixes=_candidates(draft, entry, subscriber), also=also)
        return
    for what, given, taken in _disagreements(publisher.refined, subscriber.refined):
        text = f"'{node}.{port}' gives {what} {given}, '{entry.name}.{name}' takes {taken}"
        draft.report("E305", text, entry, "in", name, also=also)


def _disagreements(publisher: Refinement, subscriber: Refinement) -> Iterator[tuple[str, object, object]]:
    if publisher.frame is not None and subscriber.frame is not None and publisher.frame != subscriber.frame:
        yield "the frame", f"'{publisher.frame}'", f"'{subscriber.frame}'"
    for what in ("sizes", "dtypes", "units"):
        given, taken = getattr(publisher, what), getattr(subscriber, what)
        for key in sorted(given.keys() & taken.keys()):
            if given[key] != taken[key]:
                yield f"{what.removesuffix('s')} {key} =", given[key], taken[key]
    if publisher.modes is not None and subscriber.modes is not None and not publisher.modes <= subscriber.modes:
        yield "commands by", " and ".join(sorted(publisher.modes)), " or ".join(sorted(subscriber.modes))


def _candidates(draft: Draft, entry: Entry, subscriber: Input) -> tuple[str, ...]:
    """Write a help line with the outputs that would fit an input; none of the node's own, and no feedback."""
    fits = [
        f"{node}.{output.name}"
        for node, ports in sorted(draft.ports.items())
        for output in ports.outputs.values()
        if issubclass(output.message, subscriber.message)
        and node != entry.name
        and not feedback(draft, entry, subscriber, node)
    ]
    if not fits:
        return (f"no node here gives {subscriber.message.__name__}",)
    return (f"{subscriber.message.__name__} comes from {', '.join(fits)}: write '{subscriber.name}: {fits[0]}'",)
