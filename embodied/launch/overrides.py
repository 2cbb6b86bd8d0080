"""Overrides of the command line: --world, --swap and --set, each a layer over the document so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import LaunchError, Place, Problem, nearest
from embodied.launch.keys import NODE, WIRE
from embodied.launch.layer import override_layer
from embodied.launch.merge import merge
from embodied.launch.problems import Problems
from embodied.launch.substitution import substitute
from embodied.launch.yaml_document import Item, entries, moved, parse, plain, scalar


@dataclass(frozen=True, slots=True)
class Overrides:
    """Overrides of a launch file: the options --world, --swap and --set of the command line.

    Attributes:
        site: a file with a site's serials, hosts and calibration.
        swaps: `node=module:Class`, or `world=module:Class`.
        sets: `argument=value`, `node.setting=value`, `node.input.max_age=value`, `node.drop=share` or
            `world.setting=value`.
        world: one of the file's `worlds`, in place of the world itself.
    """

    site: Path | None = None
    swaps: Sequence[str] = ()
    sets: Sequence[str] = ()
    world: str | None = None


def apply_overrides(document: Item, overrides: Overrides, args: Mapping[str, Item], problems: Problems) -> Item:
    """Merge the overrides of the command line over a document, in the order --world, --swap, --set.

    Args:
        document: the launch file with its profile and its site.
        overrides: the options.
        args: values of `${args.…}` in them.
        problems: collects what is wrong with an option.
    """
    options = [
        *((_world_layer, name) for name in ([] if overrides.world is None else [overrides.world])),
        *((_swap_layer, text) for text in overrides.swaps),
        *((_set_layer, text) for text in overrides.sets if "." in text.partition("=")[0]),
    ]
    for read_option, text in options:
        with problems.collecting():
            layer = override_layer(read_option(text, document))
            document = merge(document, substitute(layer, args))
    return document


def _world_layer(name: str, document: Item) -> Item:
    worlds = entries(document, "worlds")
    if name not in worlds:
        help_ = nearest(name, worlds) or ("add 'worlds:' to the launch file: variants of its world, by name",)
        raise LaunchError([Problem("E111", f"there is no world '{name}'", flag_place("--world", name), help_)])
    return _nested(("world",), worlds[name])


def _swap_layer(text: str, document: Item) -> Item:
    name, sign, use = text.partition("=")
    nodes = entries(document, "nodes")
    place = flag_place("--swap", text)
    if not sign:
        raise LaunchError([Problem("E107", f"cannot read --swap {text}", place, ("write --swap node=module:Class",))])
    item = Item(use, flag_place("--swap", text, len(name) + 2, len(use)))
    if name == "world" and "world" in document.value:
        return _nested(("world", "use"), item)
    if name not in nodes:
        known = (*nodes, *(("world",) if "world" in document.value else ()))
        raise LaunchError([Problem("E302", f"there is no node '{name}'", place, nearest(name, known))])
    return _nested(("nodes", name, "use"), item)


def _set_layer(text: str, document: Item) -> Item:
    head, *keys = text.partition("=")[0].split(".")
    nodes = entries(document, "nodes")
    value = flag_value(text)
    if head == "world":
        return _nested(("world", "with", *keys), value)
    if head not in nodes:
        help_ = nearest(head, (*nodes, "world"))
        raise LaunchError([Problem("E302", f"there is no node '{head}'", flag_place("--set", text), help_)])
    if keys == ["drop"]:
        return _drop_layer(head, document, value)
    if len(keys) == 1 and keys[0] in NODE and keys[0] not in ("use", "with", "in"):
        return _nested(("nodes", head, keys[0]), value)
    if len(keys) == 2 and keys[1] in WIRE:
        return _nested(("nodes", head, "in", *keys), value)
    return _nested(("nodes", head, "with", *keys), value)


def _drop_layer(node: str, document: Item, share: Item) -> Item:
    """Return the faults with another share for the drops of a node, or with one more if it has none."""
    section = document.value.get("faults")
    faults: list[Item] = [] if section is None else list(section.value or [])
    drops = [index for index, fault in enumerate(faults) if plain(fault).get("drop") == node]
    for index in drops:
        faults[index] = Item({**faults[index].value, "share": share}, faults[index].place, faults[index].key)
    if not drops:
        target = Item(node, share.place, share.place)
        faults.append(Item({"drop": target, "share": share}, share.place, share.place))
    return _nested(("faults",), Item(faults, share.place, share.place))


def flag_place(flag: str, text: str, column: int = 1, width: int | None = None) -> Place:
    """Return the place of a part of an override, such as --set, for errors.

    Args:
        flag: the option.
        text: its value, which stands for the line.
        column: where the part begins, from 1.
        width: its length; None: that of the value.
    """
    return Place(flag, 1, column, text, len(text) if width is None else width)


def flag_value(text: str) -> Item:
    """Read the value of the override --set: a scalar, or a list or mapping in YAML's flow style.

    Raises:
        LaunchError: it is not YAML.
    """
    name, _, value = text.partition("=")
    place = flag_place("--set", text, len(name) + 2, len(value))
    if value[:1] not in ("[", "{"):
        return Item(scalar(value), place, place, value)
    try:
        return moved(parse(value, "--set"), place, place)
    except LaunchError as error:
        raise LaunchError([Problem(p.code, p.message, place, p.help) for p in error.problems]) from None


def _nested(path: tuple[str, ...], item: Item) -> Item:
    for key in reversed(path):
        item = Item({key: item}, item.place, item.place)
    return item
