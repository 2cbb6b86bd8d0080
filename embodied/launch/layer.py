"""Layers of a launch (file, fragment, site file, override): each checked against the keys and written out in full.

Shorthand is written out once, here, so that layers merge whichever form each of them uses: `in: {joints: arm}` becomes
`in: {joints: {from: arm}}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.entry import NODE_NAME
from embodied.graph.faults import KINDS
from embodied.launch.habits import key_help
from embodied.launch.keys import CLOCKS, FAULT, FILE, INCLUDE, NODE, PROFILE, RESTART, VERSION, WIRE, WORLD, Section
from embodied.launch.yaml_document import Item, entries, parse, read
from embodied.untrusted.text import VALUE_LENGTH, cut, hidden, shown

_KINDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}


def _name_help(name: str) -> tuple[str, ...]:
    repaired = "".join(sign for sign in name if sign not in hidden(name))
    unseen = nearest(name, [repaired]) if repaired != name else ()
    return unseen or ("use a-z, 0-9 and _, and begin with a letter",)


def read_layer(path: Path, shown: str) -> Item:
    """Read a file as a layer: a launch file, a fragment or a site file.

    Args:
        path: the file.
        shown: its name in errors.

    Raises:
        LaunchError: it cannot be read, or has keys or kinds of values that it may not have.
    """
    return _checked_file(read(path, shown))


def parse_layer(text: str, shown: str) -> Item:
    """Parse the text of a launch file as a layer; see `read_layer`."""
    return _checked_file(parse(text, shown))


def override_layer(section: Item) -> Item:
    """Check a layer from the command line as one from a file, and write out its shorthand.

    Raises:
        LaunchError: a key or a kind of value is wrong.
    """
    _raise(_check_section(section))
    return _written_out(section)


def _checked_file(root: Item) -> Item:
    _raise(_check_file(root))
    document = _written_out(root)
    profiles = {
        name: profile if profile.value is None else _written_out(profile)
        for name, profile in entries(document, "profiles").items()
    }
    includes = [
        Item({"file": entry}, entry.place, entry.key) if isinstance(entry.value, str) else entry
        for entry in _list(document, "include")
    ]
    return _with(_with(document, "profiles", profiles), "include", includes)


def _raise(problems: Iterator[Problem]) -> None:
    found = list(problems)
    if found:
        raise LaunchError(found)


def _check_file(root: Item) -> Iterator[Problem]:
    misplaced = list(_check_keys(root, FILE, "a launch file"))
    yield from misplaced
    if misplaced:
        return
    version = root.value.get("embodied")
    if version is None:
        help_ = (f"begin the file with 'embodied: {VERSION}'",)
        yield Problem("E109", "the launch file does not say its version", root.place, help_)
    elif version.value != VERSION or isinstance(version.value, bool):
        message = f"version {shown(version.value)} of the launch file is unknown; this is embodied: {VERSION}"
        yield Problem("E109", message, version.place)
    yield from _check_section(root)
    for name, profile in entries(root, "profiles").items():
        if not NODE_NAME.fullmatch(name):
            message = f"'{name}' is not a name for a profile"
            yield Problem("E103", message, profile.key or profile.place, _name_help(name))
        if profile.value is not None:
            misplaced = list(_check_keys(profile, PROFILE, f"profile '{name}'"))
            yield from misplaced or _check_section(profile)
    for entry in _list(root, "include"):
        if not isinstance(entry.value, str):
            misplaced = list(_check_keys(entry, INCLUDE, "an include"))
            yield from misplaced
            if not misplaced and "file" not in entry.value:
                yield Problem("E104", "an include needs 'file'", entry.place)


def _check_section(section: Item) -> Iterator[Problem]:
    """Check what a file, a profile and an override may all have."""
    for name, node in entries(section, "nodes").items():
        if not NODE_NAME.fullmatch(name):
            yield Problem("E103", f"'{name}' is not a name for a node", node.key or node.place, _name_help(name))
        if node.value is not None:
            misplaced = list(_check_keys(node, NODE, f"node '{name}'"))
            yield from misplaced or _check_node(node)
    world = section.value.get("world")
    if world is not None and world.value is not None:
        yield from _check_keys(world, WORLD, "a world")
    for name, variant in entries(section, "worlds").items():
        if variant.value is not None:
            yield from _check_keys(variant, WORLD, f"world '{name}'")
    clock = section.value.get("clock")
    if clock is not None and clock.value is not None and clock.value not in CLOCKS:
        message = f"expected a clock, one of {', '.join(CLOCKS)}, got {shown(clock.value)}"
        yield Problem("E104", message, clock.place, nearest(str(clock.value), CLOCKS))
    for machine in entries(section, "machines").values():
        if machine.value is not None and not isinstance(machine.value, str):
            message = f"expected an endpoint, such as tcp://192.168.1.10:7447, got {machine.kind}"
            yield Problem("E104", message, machine.place)
    for group in _list(section, "processes"):
        if not isinstance(group.value, list) or not all(isinstance(name.value, str) for name in group.value):
            yield Problem("E104", f"expected a list of node names, got {group.kind}", group.place)
    for fault in _list(section, "faults"):
        misplaced = list(_check_keys(fault, FAULT, "a fault"))
        yield from misplaced or _check_fault(fault)


def _check_fault(fault: Item) -> Iterator[Problem]:
    kinds = [key for key, entry in fault.value.items() if key in KINDS and entry.value is not None]
    if len(kinds) != 1:
        found = f"got {' and '.join(kinds)}" if kinds else "got none"
        message = f"a fault has one key of {', '.join(KINDS)}; {found}"
        yield Problem("E801", message, fault.place, ("write '{silence: node, at: 2s, for: 500ms}'",))


def _check_node(node: Item) -> Iterator[Problem]:
    restart = node.value.get("restart")
    if restart is not None and restart.value is not None and not isinstance(restart.value, str):
        yield from _check_keys(restart, RESTART, "'restart'")
    for name, wire in entries(node, "in").items():
        if wire.value is not None and not isinstance(wire.value, str):
            yield from _check_keys(wire, WIRE, f"input '{name}'")


def _check_keys(item: Item, known: Section, what: str) -> Iterator[Problem]:
    """Check that an item is a mapping of known keys, each with a value of its kind."""
    if not isinstance(item.value, dict):
        yield Problem("E104", f"{what} is a mapping of {', '.join(known)}; got {item.kind}", item.place)
        return
    for key, entry in item.value.items():
        if key not in known:
            message = f"{what} has no key '{cut(key, VALUE_LENGTH)}'"
            yield Problem("E103", message, entry.key or entry.place, key_help(key, known))
        elif entry.value is not None and not isinstance(entry.value, known[key].kind):
            help_ = (f"write each by its name: '{key}: {{name: …}}'",) if isinstance(entry.value, list) else ()
            yield Problem("E104", f"'{key}' is {_KINDS[known[key].kind]}; got {entry.kind}", entry.place, help_)


def _written_out(section: Item) -> Item:
    """Return a section with the wires and restarts of its nodes as mappings."""
    nodes = {name: _written_out_node(node) for name, node in entries(section, "nodes").items()}
    return _with(section, "nodes", nodes)


def _written_out_node(node: Item) -> Item:
    wires = {name: _mapping("from", wire) for name, wire in entries(node, "in").items()} if node.value else {}
    node = _with(node, "in", wires)
    restart = (node.value or {}).get("restart")
    return node if restart is None else Item(node.value | {"restart": _mapping("when", restart)}, node.place, node.key)


def _mapping(key: str, item: Item) -> Item:
    """Return text as a mapping with a single key; anything else as it is."""
    if not isinstance(item.value, str):
        return item
    return Item({key: Item(item.value, item.place)}, item.place, item.key)


def _list(section: Item, key: str) -> list[Item]:
    """Return the items of a list; none if it is absent or null."""
    items = section.value.get(key)
    return [] if items is None or items.value is None else items.value


def _with(section: Item, key: str, value: Any) -> Item:
    """Return a section with another value under a key; as it is if that value is empty."""
    if not value:
        return section
    previous = section.value[key]
    return Item(section.value | {key: Item(value, previous.place, previous.key)}, section.place, section.key)
