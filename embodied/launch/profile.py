"""Profiles of a launch file: the document that a graph is built from, with a profile, a site and overrides applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from embodied.errors import LaunchError, Problem, nearest
from embodied.launch.merge import merge, without_nulls
from embodied.launch.overrides import Overrides, apply_overrides
from embodied.launch.problems import Problems
from embodied.launch.substitution import unresolved
from embodied.launch.yaml_document import Item, entries, without_keys


def apply_profile(
    composed: Item, profile: str | None, site: Item | None, overrides: Overrides, args: Mapping[str, Item], file: Path
) -> Item:
    """Merge everything that belongs to one profile: file < profile < site < --world < --swap < --set.

    Args:
        composed: the file over its includes, with its profiles.
        profile: name of the profile; None for the file itself.
        site: the site file as a layer.
        overrides: options of the command line.
        args: values of the arguments.
        file: the launch file, for errors.

    Raises:
        LaunchError: with every problem found.
    """
    problems = Problems()
    layers = problems.attempt(profile_layers, composed, profile, file) or []
    document = without_keys(composed, "profiles")
    for layer in layers:
        document = merge(document, layer)
    if site is not None:
        problems.extend(_unknown_nodes(site, document, layers))
        document = merge(document, _fitting(site, document, layers))
    document = without_nulls(apply_overrides(document, overrides, args, problems))
    problems.extend(unresolved(document))
    problems.raise_any()
    return document


def profile_layers(composed: Item, profile: str | None, file: Path) -> list[Item]:
    """List the layers of a profile and of those that it is based on, lowest first.

    Raises:
        LaunchError: one of them does not exist, or they are based on each other.
    """
    known = entries(composed, "profiles")
    layers: list[Item] = []
    names: list[str] = []
    place, where = None, str(file)
    while profile is not None:
        if profile not in known:
            message = f"there is no profile '{profile}'"
            raise LaunchError([Problem("E108", message, place, nearest(str(profile), known), where=where)])
        if profile in names:
            message = f"profiles are based on each other: {' -> '.join([*names, profile])}"
            raise LaunchError([Problem("E108", message, place)])
        names.append(profile)
        layer = known[profile]
        base = (layer.value or {}).get("base")
        if base is not None and (problems := list(unresolved(base))):
            raise LaunchError(problems)
        layers.insert(0, Item({k: v for k, v in (layer.value or {}).items() if k != "base"}, layer.place))
        profile, place, where = (None, None, "") if base is None else (base.value, base.place, "")
    return layers


def gives_driver(composed: Item, profile: str, node: str, file: Path) -> bool:
    """Return whether a profile has a class for a node, by itself or by one that it is based on."""
    try:
        layers = profile_layers(composed, profile, file)
    except LaunchError:
        return False
    return any(_use(layer, node) for layer in layers)


def _use(layer: Item | None, node: str) -> bool:
    if layer is None:
        return False
    entry = entries(layer, "nodes").get(node)
    return entry is not None and entry.value is not None and "use" in entry.value


def _unknown_nodes(site: Item, document: Item, layers: Sequence[Item]) -> list[Problem]:
    """List the nodes of a site that neither the document has nor a profile has removed."""
    known = entries(document, "nodes")
    return [
        Problem("E302", f"there is no node '{name}' to lay a site's settings over", node.key, nearest(name, known))
        for name, node in entries(site, "nodes").items()
        if name not in known and not _use(site, name) and not any(name in entries(layer, "nodes") for layer in layers)
    ]


def unused_settings(composed: Item, profile: str | None, site: Item | None, file: Path) -> list[str]:
    """List the settings of a site that a profile does not use, since it gives the node another class, a sentence each.

    Args:
        composed: the file over its includes, with its profiles.
        profile: name of the profile; None for the file itself.
        site: the site file as a layer.
        file: the launch file, for errors.

    Raises:
        LaunchError: there is no such profile.
    """
    layers = profile_layers(composed, profile, file)
    unused = [
        (name, node.value["with"])
        for name, node in ({} if site is None else entries(site, "nodes")).items()
        if node.value and "with" in node.value and not _use(site, name) and any(_use(layer, name) for layer in layers)
    ]
    return [
        f"{settings.key or settings.place}: these settings of '{name}' are not used: they are for another class than "
        f"profile '{profile}' gives it"
        for name, settings in unused
    ]


def _fitting(site: Item, document: Item, layers: Sequence[Item]) -> Item:
    """Return what of a site applies to one profile.

    A profile that gives a node another class has no use for the site's settings of the real device: as with any new
    `use`, they are dropped.
    """
    nodes: dict[str, Item] = {}
    for name, node in entries(site, "nodes").items():
        if name not in entries(document, "nodes") and not _use(site, name):
            continue
        if node.value is not None and not _use(site, name) and any(_use(layer, name) for layer in layers):
            node = without_keys(node, "with")
        nodes[name] = node
    if not entries(site, "nodes"):
        return site
    section = site.value["nodes"]
    return Item(site.value | {"nodes": Item(nodes, section.place, section.key)}, site.place, site.key)
