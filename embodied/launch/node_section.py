"""Reading of a launch file's sections: wires, timing, restart and machine of a node, and the faults of a file."""

from __future__ import annotations

from dataclasses import replace

from embodied.clock import duration
from embodied.errors import LaunchError, Problem
from embodied.graph.entry import BOUND, Timing, Wire
from embodied.graph.faults import KINDS, Fault
from embodied.graph.restart import NEVER, Restart
from embodied.launch.problems import Problems
from embodied.launch.settings import place_inside
from embodied.launch.yaml_document import Item, entries, plain, text_of, walk
from embodied.node.settings import SettingError
from embodied.untrusted.text import shown

MAX_BOUND = 100_000
"""Length of the longest queue of an input [messages]."""


def read_wires(node: Item) -> dict[str, Wire]:
    """Read the wires of a node by input from its section in a launch file.

    Raises:
        LaunchError: with the problems of all of them.
    """
    problems = Problems()
    general_age = node.value.get("max_age")
    if general_age is not None and not entries(node, "in"):
        problems.add(Problem("E405", "max_age: this node has no wires", general_age.place))
    wires = {name: problems.attempt(_wire, name, wire, general_age) for name, wire in entries(node, "in").items()}
    problems.raise_any()
    return {name: wire for name, wire in wires.items() if wire is not None}


def _wire(name: str, wire: Item, general_age: Item | None) -> Wire:
    source = wire.value.get("from")
    if source is None or not isinstance(source.value, str):
        raise LaunchError([Problem("E104", f"input '{name}' needs 'from: node.port'", wire.key or wire.place)])
    bound = wire.value.get("bound")
    if bound is not None and (type(bound.value) is not int or not 1 <= bound.value <= MAX_BOUND):
        message = f"bound must be a whole number in [1, {MAX_BOUND}], got {shown(bound.value)}"
        raise _error("E405", message, bound)
    age = wire.value.get("max_age", general_age)
    try:
        max_age = None if age is None else duration(plain(age))
    except ValueError as error:
        raise _error("E405", f"max_age: {error}", age or wire) from None
    lossless = wire.value.get("lossless")
    if lossless is not None and not isinstance(lossless.value, bool):
        raise _error("E104", f"'lossless' is true or false; got {lossless.kind}", lossless)
    return Wire(source.value, max_age, BOUND if bound is None else bound.value, lossless is not None and lossless.value)


def read_timing(node: Item) -> Timing:
    """Read rate, latency and jitter of a node from its section in a launch file.

    Raises:
        LaunchError: one of them cannot be read.
    """
    problems = Problems()
    written = {key: node.value[key] for key in ("rate", "latency", "jitter") if key in node.value}
    for key, entry in written.items():
        try:
            Timing.of(**{key: plain(entry)})
        except ValueError as error:
            problems.add(Problem("E401" if key == "rate" else "E405", f"{key}: {error}", entry.place))
    problems.raise_any()
    return Timing.of(**{key: plain(entry) for key, entry in written.items()})


def read_machine(node: Item) -> str | None:
    """Read the machine that a node runs on from its section in a launch file; None for the first.

    Raises:
        LaunchError: it is not a name.
    """
    machine = node.value.get("on")
    # A reference may have put something else in the place of a name.
    if machine is not None and text_of(machine) is None:
        raise _error("E104", f"'on' is text; got {machine.kind}", machine)
    return None if machine is None else text_of(machine)


def read_restart(name: str, node: Item) -> Restart:
    """Read the restart policy of a node from its section in a launch file.

    Raises:
        LaunchError: it cannot be read.
    """
    section = node.value.get("restart")
    if section is None:
        return NEVER
    try:
        return Restart.of(plain(section))
    except SettingError as error:
        place = place_inside(section, error.path)
        raise LaunchError([Problem("E407", f"'{name}': {error}", place, error.help)]) from None


def read_fault(section: Item) -> Fault:
    """Read a fault from its section in a launch file, with its places.

    Raises:
        LaunchError: it cannot be read.
    """
    about = plain(section)
    # A reference may have put null in the place of the target.
    kind = max((key for key in KINDS if key in about), key=lambda key: about[key] is not None)
    target = about.pop(kind)
    if not isinstance(target, str):
        raise _error("E801", f"{kind}: expected the name of a node, got {shown(target)}", section.value[kind])
    try:
        fault = Fault.of(kind, target, about)
    except SettingError as error:
        place = section.value[error.path[0]].place
        raise LaunchError([Problem("E801", f"{kind} {target}: {error}", place, error.help)]) from None
    return replace(fault, places={path: entry.place for path, entry in walk(section)})


def _error(code: str, message: str, at: Item) -> LaunchError:
    return LaunchError([Problem(code, message, at.place)])
