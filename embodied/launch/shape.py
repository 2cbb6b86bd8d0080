"""The shape of a launch file: which keys may stand where, and what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from embodied.errors import Place, Problem, nearest
from embodied.faults import KINDS
from embodied.graph import NODE_NAME
from embodied.launch.document import Item

VERSION = 1

Shape = Mapping[str, type]
"""By key, what stands there; `object` is anything."""

_WORDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}

FILE: Shape = {
    "embodied": object,
    "args": dict,
    "include": list,
    "robots": dict,
    "nodes": dict,
    "world": dict,
    "worlds": dict,
    "clock": str,
    "processes": list,
    "faults": list,
    "profiles": dict,
}
PROFILE: Shape = {key: FILE[key] for key in ("robots", "nodes", "world", "worlds", "clock", "processes", "faults")} | {
    "base": str
}
NODE: Shape = {
    "use": str,
    "with": dict,
    "in": dict,
    "rate": object,
    "latency": object,
    "jitter": object,
    "max_age": object,
}
WIRE: Shape = {"from": str, "max_age": object, "bound": object}
WORLD: Shape = {"use": str, "with": dict}
INCLUDE: Shape = {"file": str, "namespace": str, "args": dict}
FAULT: Shape = {**dict.fromkeys(KINDS, str), **dict.fromkeys(("at", "for", *chain(*KINDS.values())), object)}

CLOCKS = ("lockstep", "steady")


def check_file(root: Item, problems: list[Problem]) -> bool:
    """Whether a document has the shape of a launch file, a fragment or a site file; wires become mappings."""
    before = len(problems)
    if not _keys(root, FILE, "a launch file", problems):
        return False
    version = root.value.get("embodied")
    if version is None:
        help_ = (f"begin the file with 'embodied: {VERSION}'",)
        problems.append(Problem("E109", "the launch file does not say its version", root.place, help=help_))
    elif version.value != VERSION or isinstance(version.value, bool):
        message = f"version {version.value!r} of the launch file is unknown; this is embodied: {VERSION}"
        problems.append(Problem("E109", message, version.place))
    check_section(root, problems)
    for name, profile in _entries(root, "profiles"):
        if not NODE_NAME.fullmatch(name):
            help_ = ("use a-z, 0-9 and _, and begin with a letter",)
            message = f"'{name}' is not a name for a profile"
            problems.append(Problem("E103", message, profile.key or profile.place, help=help_))
        if profile.value is not None and _keys(profile, PROFILE, f"profile '{name}'", problems):
            check_section(profile, problems)
    included = root.value["include"].value or [] if "include" in root.value else []
    for index, entry in enumerate(included):
        if isinstance(entry.value, str):
            included[index] = Item({"file": entry}, entry.place, entry.key)
        elif _keys(entry, INCLUDE, "an include", problems) and "file" not in entry.value:
            problems.append(Problem("E104", "an include needs 'file'", entry.place))
    return len(problems) == before


def check_section(item: Item, problems: list[Problem]) -> None:
    """The parts that a file and a profile share."""
    for name, node in _entries(item, "nodes"):
        if not NODE_NAME.fullmatch(name):
            help_ = ("use a-z, 0-9 and _, and begin with a letter",)
            problems.append(Problem("E103", f"'{name}' is not a name for a node", node.key or node.place, help=help_))
        if node.value is None:
            continue
        if _keys(node, NODE, f"node '{name}'", problems):
            _node(node, problems)
    world = item.value.get("world")
    if world is not None and world.value is not None:
        _keys(world, WORLD, "a world", problems)
    for name, other in _entries(item, "worlds"):
        if other.value is not None:
            _keys(other, WORLD, f"world '{name}'", problems)
    clock = item.value.get("clock")
    if clock is not None and clock.value is not None and clock.value not in CLOCKS:
        message = f"expected a clock, one of {', '.join(CLOCKS)}, got {clock.value!r}"
        problems.append(Problem("E104", message, clock.place, help=nearest(str(clock.value), CLOCKS)))
    groups = item.value["processes"].value or [] if "processes" in item.value else []
    problems += [
        Problem("E104", f"expected a list of node names, got {group.kind}", group.place)
        for group in groups
        if not isinstance(group.value, list) or not all(isinstance(name.value, str) for name in group.value)
    ]
    for fault in item.value["faults"].value or [] if "faults" in item.value else []:
        if _keys(fault, FAULT, "a fault", problems):
            _fault(fault, problems)


def _fault(fault: Item, problems: list[Problem]) -> None:
    kinds = [key for key, entry in fault.value.items() if key in KINDS and entry.value is not None]
    if len(kinds) != 1:
        found = f"got {' and '.join(kinds)}" if kinds else "got none"
        message = f"a fault has one key of {', '.join(KINDS)}; {found}"
        problems.append(Problem("E801", message, fault.place, help=("write '{silence: node, at: 2s, for: 500ms}'",)))


def _node(node: Item, problems: list[Problem]) -> None:
    wires = node.value.get("in")
    if wires is not None and wires.value is not None:
        for name, wire in list(wires.value.items()):
            if isinstance(wire.value, str):
                wires.value[name] = Item({"from": Item(wire.value, wire.place)}, wire.place, wire.key)
            elif wire.value is not None:
                _keys(wire, WIRE, f"input '{name}'", problems)


def _entries(item: Item, key: str) -> list[tuple[str, Item]]:
    section = item.value.get(key)
    return list(section.value.items()) if section is not None and isinstance(section.value, dict) else []


def _keys(item: Item, known: Shape, what: str, problems: list[Problem]) -> bool:
    """Whether an item is a mapping with known keys whose values are of the right kind."""
    if not isinstance(item.value, dict):
        message = f"{what} is a mapping of {', '.join(known)}; got {item.kind}"
        problems.append(Problem("E104", message, item.place))
        return False
    fine = True
    for key, entry in item.value.items():
        if key not in known:
            place: Place = entry.key or entry.place
            problems.append(Problem("E103", f"{what} has no key '{key}'", place, help=nearest(key, known)))
            fine = False
        elif entry.value is not None and not isinstance(entry.value, known[key]):
            problems.append(Problem("E104", f"'{key}' is {_WORDS[known[key]]}; got {entry.kind}", entry.place))
            fine = False
    return fine
