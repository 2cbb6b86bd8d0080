"""The shape of a launch file: which keys may stand where, and what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from embodied.errors import Place, Problem, nearest
from embodied.graph.entry import NODE_NAME
from embodied.graph.faults import KINDS
from embodied.launch.yaml_document import Item

VERSION = 1


@dataclass(frozen=True, slots=True)
class Key:
    """What may stand under one key.

    Attributes:
        kind: `dict`, `list` or `str`; `object` is anything.
        about: what it says, for those who write launch files.
        scalar: what kind of scalar: `version`, `rate`, `duration`, `time`, `count`, `share`, `amount`; empty is any.
    """

    kind: type
    about: str
    scalar: str = ""


Shape = Mapping[str, Key]

_WORDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}

FILE: Shape = {
    "embodied": Key(object, "version of the format", "version"),
    "args": Key(dict, "arguments with their defaults: set with --set name=value, used as ${args.name}"),
    "include": Key(list, "fragments that lie below this file; they are looked for beside it, then among the installed"),
    "robots": Key(dict, "robots by name: joints, limits, tool"),
    "nodes": Key(dict, "nodes by name"),
    "world": Key(dict, "the simulated world"),
    "worlds": Key(dict, "variants of the world by name, of which one is chosen: --world name"),
    "clock": Key(str, "lockstep is virtual time, the same bytes every time; steady is the machine's, for a robot"),
    "machines": Key(dict, "machines by name, each with its endpoint tcp://host:port; ignored in lockstep"),
    "processes": Key(list, "groups of nodes that share a process on the robot; ignored in lockstep"),
    "faults": Key(list, "what goes wrong in a run, in lockstep alone"),
    "profiles": Key(dict, "layers by name, of which one is run: --profile name"),
}
_SECTION = ("robots", "nodes", "world", "worlds", "clock", "machines", "processes", "faults")
PROFILE: Shape = {key: FILE[key] for key in _SECTION} | {"base": Key(str, "the profile that this one lies over")}
NODE: Shape = {
    "use": Key(str, "the class, as module:Class; another class than the layer below drops its settings"),
    "with": Key(dict, "settings: the fields of the class"),
    "in": Key(dict, "wires by input: node.port, or node for its first output"),
    "rate": Key(object, "how often it steps [Hz]; overrides the class's, and '30000/1001' is exact", "rate"),
    "latency": Key(object, "in virtual time a step keeps it busy this long", "duration"),
    "jitter": Key(object, "up to this much more, drawn from the seed", "duration"),
    "max_age": Key(object, "beyond this age what its inputs hold is stale", "duration"),
    "on": Key(str, "the machine it runs on; the first of 'machines' unless written"),
    "restart": Key(object, "whether it is started again on the robot: never, on-failure or always"),
}
RESTART: Shape = {
    "when": Key(str, "never, on-failure or always"),
    "limit": Key(object, "how often at most", "count"),
    "backoff": Key(object, "how long it stays ended before it is started again", "duration"),
}
WIRE: Shape = {
    "from": Key(str, "the source: node.port, or node for its first output"),
    "max_age": Key(object, "beyond this age a value is stale", "duration"),
    "bound": Key(object, "how many wait at most, for an input that takes every message", "count"),
    "lossless": Key(object, "on the robot its source waits rather than have one dropped", "flag"),
}
WORLD: Shape = {
    "use": Key(str, "the class of the world, as module:Class"),
    "with": Key(dict, "settings: the fields of the class"),
}
INCLUDE: Shape = {
    "file": Key(str, "the fragment, beside this file or among the installed"),
    "namespace": Key(str, "goes before the names of its nodes: left gives left/arm"),
    "args": Key(dict, "values of the fragment's arguments"),
}
_FAULT: Shape = {
    "silence": Key(str, "a node that does not step"),
    "kill": Key(str, "a node that does not step any more"),
    "drop": Key(str, "a node of which the outputs of a step are lost, now and then"),
    "delay": Key(str, "a node that takes longer"),
    "stuck": Key(str, "an output that goes on with its last value"),
    "noise": Key(str, "an output with Gaussian noise in a field"),
    "at": Key(object, "when it begins; 0 unless written", "time"),
    "for": Key(object, "how long it lasts; to the end unless written", "time"),
    "share": Key(object, "probability that a step's outputs are lost", "share"),
    "by": Key(object, "what is added to the latency", "duration"),
    "field": Key(object, "the field of the message"),
    "sd": Key(object, "standard deviation, in the field's unit", "amount"),
}
FAULT: Shape = {key: _FAULT[key] for key in (*KINDS, "at", "for", *chain(*KINDS.values()))}

CLOCKS = ("lockstep", "steady")


def check_file(root: Item, problems: list[Problem]) -> bool:
    """Whether a document has the shape of a launch file, a fragment or a site file; wires, restarts become mappings."""
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
    problems += [
        Problem("E104", f"expected an endpoint, such as tcp://192.168.1.10:7447, got {machine.kind}", machine.place)
        for _, machine in _entries(item, "machines")
        if machine.value is not None and not isinstance(machine.value, str)
    ]
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
    restart = node.value.get("restart")
    if restart is not None and restart.value is not None:
        if isinstance(restart.value, str):
            restart = Item({"when": Item(restart.value, restart.place)}, restart.place, restart.key)
            node.value["restart"] = restart
        _keys(restart, RESTART, "'restart'", problems)
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
        elif entry.value is not None and not isinstance(entry.value, known[key].kind):
            problems.append(Problem("E104", f"'{key}' is {_WORDS[known[key].kind]}; got {entry.kind}", entry.place))
            fine = False
    return fine
