"""What the command line and a site lay over a launch file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.errors import Place, Problem, nearest
from embodied.launch.keys import NODE, WIRE
from embodied.launch.substitution import substitute
from embodied.launch.yaml_document import Item, entries, located, parse, plain, scalar


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line lays over a launch file.

    Attributes:
        site: a file with a site's serials, hosts and calibration.
        swaps: `node=module:Class`.
        sets: `argument=value`, `node.setting=value`, `node.input.max_age=value`, `node.drop=share` or
            `world.setting=value`.
        world: one of the file's `worlds`, in place of the world itself.
    """

    site: Path | None = None
    swaps: Sequence[str] = ()
    sets: Sequence[str] = ()
    world: str | None = None


def other_world(name: str, document: Item, problems: list[Problem]) -> Item:
    """What --world lays over a document."""
    worlds = entries(document, "worlds")
    place = place_of("--world", name)
    if name not in worlds:
        help_ = nearest(name, worlds) or ("add 'worlds:' to the launch file: variants of its world, by name",)
        problems.append(Problem("E111", f"there is no world '{name}'", place, help=help_))
        return Item({}, place)
    return _nested(("world",), worlds[name])


def swap(text: str, document: Item, problems: list[Problem]) -> Item:
    """What a --swap lays over a document."""
    name, sign, use = text.partition("=")
    nodes = entries(document, "nodes")
    place = place_of("--swap", text)
    if not sign:
        problems.append(Problem("E107", f"cannot read --swap {text}", place, help=("write --swap node=module:Class",)))
        return Item({}, place)
    if name not in nodes:
        problems.append(Problem("E302", f"there is no node '{name}'", place, help=nearest(name, nodes)))
        return Item({}, place)
    written = Item(use, place_of("--swap", text, len(name) + 2, len(use)))
    return _nested(("nodes", name, "use"), written)


def set_value(text: str, document: Item, args: Mapping[str, Any], problems: list[Problem]) -> Item:
    """What a --set of a node or the world lays over a document whose `${args.…}` are these."""
    path, sign, value = text.partition("=")
    head, *rest = path.split(".")
    nodes = entries(document, "nodes")
    place = place_of("--set", text)
    written = written_value(value, text, len(path) + 2, problems)
    if not sign:
        return Item({}, place)
    if head == "world":
        return _nested(("world", "with", *rest), written)
    if head not in nodes:
        known = (*nodes, "world")
        problems.append(Problem("E302", f"there is no node '{head}'", place, help=nearest(head, known)))
        return Item({}, place)
    if rest == ["drop"]:
        return _dropping(head, document, args, written)
    if len(rest) == 1 and rest[0] in NODE and rest[0] not in ("use", "with", "in"):
        return _nested(("nodes", head, rest[0]), written)
    if len(rest) == 2 and rest[1] in WIRE:
        return _nested(("nodes", head, "in", *rest), written)
    return _nested(("nodes", head, "with", *rest), written)


def _dropping(node: str, document: Item, args: Mapping[str, Any], share: Item) -> Item:
    """The faults with another share for a node that drops, and one more where it did not."""
    section = document.value.get("faults")
    faults: list[Item] = [] if section is None else list(section.value or [])
    targets = [plain(substitute(fault, args, [])).get("drop") for fault in faults]
    drops = [index for index, target in enumerate(targets) if target == node]
    for index in drops:
        faults[index] = Item({**faults[index].value, "share": share}, faults[index].place, faults[index].key)
    if not drops:
        named = Item(node, share.place, share.place)
        faults.append(Item({"drop": named, "share": share}, share.place, share.place))
    return _nested(("faults",), Item(faults, share.place, share.place))


def written_value(value: str, text: str, column: int, problems: list[Problem]) -> Item:
    """What stands behind the sign of a --set: a scalar, or a list or mapping in YAML's flow style."""
    place = place_of("--set", text, column, len(value))
    if value[:1] not in ("[", "{"):
        return Item(scalar(value), place, place)
    found: list[Problem] = []
    item = parse(value, "--set", found)
    problems += [Problem(problem.code, problem.message, place, problem.help) for problem in found]
    return located(None if item is None else plain(item), Item(None, place, place))


def fitting(site: Item, document: Item, layers: Sequence[Item], problems: list[Problem]) -> Item:
    """What a site says to one profile.

    A profile that puts another class in a node's place has no use for what the site says of the real device: as with
    any new `use`, its settings stay away.
    """
    kept: dict[str, Item] = {}
    known = entries(document, "nodes")
    for name, node in entries(site, "nodes").items():
        removed = any(name in entries(layer, "nodes") for layer in layers)
        if name not in known and not removed and "use" not in (node.value or {}):
            message = f"there is no node '{name}' to lay a site's settings over"
            problems.append(Problem("E302", message, node.key or node.place, help=nearest(name, known)))
        replaced = any(
            "use" in (entries(layer, "nodes").get(name, Item({}, layer.place)).value or {}) for layer in layers
        )
        if replaced and node.value is not None and "use" not in node.value:
            node = Item({k: v for k, v in node.value.items() if k != "with"}, node.place, node.key)
        if name in known or (node.value is not None and "use" in node.value):
            kept[name] = node
    made = dict(site.value)
    if "nodes" in made:
        made["nodes"] = Item(kept, made["nodes"].place, made["nodes"].key)
    return Item(made, site.place, site.key)


def place_of(flag: str, text: str, column: int = 1, width: int | None = None) -> Place:
    """Where something stands in an option of the command line."""
    return Place(flag, 1, column, text, len(text) if width is None else width)


def _nested(path: tuple[str, ...], item: Item) -> Item:
    for key in reversed(path):
        item = Item({key: item}, item.place, item.place)
    return item
