"""A launch file becomes a graph.

Order: file < profile < site < --swap < --set. Includes lie below the file that includes them. Every value keeps the
place it was written at, and relative paths are relative to that file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Place, Problem, nearest
from embodied.graph import Graph
from embodied.launch.build import build_graph
from embodied.launch.document import Item, plain, read, scalar
from embodied.launch.merge import merge, without_nulls
from embodied.launch.namespace import into_namespace
from embodied.launch.shape import NODE, WIRE, check_file
from embodied.launch.substitute import substitute
from embodied.launch.use import enter, project_root

MAX_INCLUDES = 64


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line lays over a launch file.

    Attributes:
        site: a file with a site's serials, hosts and calibration.
        swaps: `node=module:Class`.
        sets: `argument=value`, `node.setting=value`, `node.input.max_age=value` or `world.setting=value`.
    """

    site: Path | None = None
    swaps: Sequence[str] = ()
    sets: Sequence[str] = ()


@dataclass(slots=True)
class Launch:
    """A launch file that has been read, with its includes and overrides.

    Attributes:
        file: as it was named.
        profiles: names of the profiles it defines.
    """

    file: Path
    _root: Item
    _overrides: Overrides
    _args: Mapping[str, Any]
    _site: Item | None
    _folders: dict[str, Path] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles, in the order they are written."""
        section = self._root.value.get("profiles")
        return () if section is None else tuple(section.value)

    def graph(self, profile: str | None = None) -> Graph:
        """The graph of one profile; None is the file without any, which meets the robot.

        Raises:
            LaunchError: with every problem found.
        """
        problems: list[Problem] = []
        document = self._resolve(profile, problems)
        if problems:
            raise LaunchError(problems)
        others = {name: self._drivers(name) for name in self.profiles if name != profile}
        graph = build_graph(document, self._folders, profile, others, problems)
        if problems:
            raise LaunchError(problems)
        return graph

    def missing(self, profile: str | None = None) -> tuple[str, ...]:
        """Names of the nodes that have no class in a profile.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        problems: list[Problem] = []
        document = self._resolve(profile, problems)
        if problems:
            raise LaunchError(problems)
        nodes = document.value.get("nodes")
        return tuple(name for name, node in (nodes.value if nodes else {}).items() if "use" not in node.value)

    def _drivers(self, profile: str) -> frozenset[str]:
        """Names of the nodes that have a class in a profile."""
        document = self._resolve(profile, [])
        nodes = document.value.get("nodes")
        return frozenset(name for name, node in (nodes.value if nodes else {}).items() if "use" in node.value)

    def _resolve(self, profile: str | None, problems: list[Problem]) -> Item:
        document = Item({k: v for k, v in self._root.value.items() if k != "profiles"}, self._root.place)
        for layer in self._chain(profile, problems):
            document = merge(document, layer)
        if self._site is not None:
            document = merge(document, self._site)
        for text in self._overrides.swaps:
            document = merge(document, _swap(text, document, problems))
        for text in self._overrides.sets:
            if "." in text.partition("=")[0]:
                document = merge(document, _set(text, document, problems))
        return substitute(without_nulls(document), self._args, problems)

    def _chain(self, profile: str | None, problems: list[Problem]) -> list[Item]:
        """A profile and those it is based on, lowest first."""
        section = self._root.value.get("profiles")
        known: dict[str, Item] = {} if section is None else section.value
        chain: list[Item] = []
        seen: list[str] = []
        place: Place | None = None
        while profile is not None:
            if profile not in known:
                where = str(self.file) if place is None else ""
                message = f"there is no profile '{profile}'"
                problems.append(Problem("E108", message, place, help=nearest(profile, known), where=where))
                return []
            if profile in seen:
                message = f"profiles are based on each other: {' -> '.join([*seen, profile])}"
                problems.append(Problem("E108", message, place))
                return []
            seen.append(profile)
            layer = known[profile]
            if layer.value is None:
                return chain
            chain.insert(0, Item({k: v for k, v in layer.value.items() if k != "base"}, layer.place))
            base = layer.value.get("base")
            profile, place = (None, None) if base is None else (base.value, base.place)
        return chain


def load(file: Path, overrides: Overrides | None = None) -> Launch:
    """Read a launch file, with everything it includes.

    Args:
        file: the launch file; one that is not there is looked for among those that are installed.
        overrides: site, swaps and sets.

    Raises:
        LaunchError: with every problem found.
    """
    overrides = overrides or Overrides()
    file = _locate(file)
    problems: list[Problem] = []
    folders: dict[str, Path] = {"--swap": Path(), "--set": Path()}
    enter(project_root(file))
    root = _read(file, str(file), folders, problems)
    site = None if overrides.site is None else _read(overrides.site, str(overrides.site), folders, problems)
    if root is None or problems:
        raise LaunchError(problems)
    args = _arguments(root, site, overrides.sets, problems)
    document = _include(root, file, args, folders, (file.resolve(),), problems)
    if problems:
        raise LaunchError(problems)
    return Launch(file, document, overrides, args, _without(site), folders)


def _locate(file: Path) -> Path:
    if file.exists():
        return file
    installed = Path(__file__).parent.parent.parent / file
    return installed if not file.is_absolute() and installed.is_file() else file


def _read(file: Path, shown: str, folders: dict[str, Path], problems: list[Problem]) -> Item | None:
    found = read(file, shown, problems)
    if found is None or not check_file(found, problems):
        return None
    folders[shown] = file.resolve().parent
    return found


def _without(site: Item | None) -> Item | None:
    if site is None:
        return None
    return Item({k: v for k, v in site.value.items() if k not in ("embodied", "args", "include")}, site.place)


def _arguments(root: Item, site: Item | None, sets: Sequence[str], problems: list[Problem]) -> dict[str, Any]:
    """Values of the arguments: file < site < --set."""
    section = root.value.get("args")
    known = {} if section is None else {name: plain(item) for name, item in section.value.items()}
    if site is not None and "args" in site.value:
        for name, item in site.value["args"].value.items():
            if name not in known:
                message = f"there is no argument '{name}'"
                problems.append(Problem("E107", message, item.key, help=nearest(name, known)))
            known[name] = plain(item)
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign:
            help_ = ("write --set name=value or --set node.setting=value",)
            problems.append(Problem("E107", f"cannot read --set {text}", _place("--set", text), help=help_))
        elif "." not in name:
            if name not in known:
                fix = (*nearest(name, known), "a node's setting is set as node.setting=value")
                message = f"there is no argument '{name}'"
                problems.append(Problem("E107", message, _place("--set", text), help=fix))
            known[name] = scalar(value)
    return known


def _include(
    root: Item,
    file: Path,
    args: Mapping[str, Any],
    folders: dict[str, Path],
    above: tuple[Path, ...],
    problems: list[Problem],
) -> Item:
    """A file on top of everything it includes."""
    section = root.value.get("include")
    own = Item({k: v for k, v in root.value.items() if k not in ("include", "args", "embodied")}, root.place)
    below = Item({}, root.place)
    for written in section.value if section is not None else []:
        entry = substitute(written, args, problems)
        name = entry.value["file"]
        path = file.parent / str(name.value)
        if path.resolve() in above or len(folders) > MAX_INCLUDES:
            problems.append(Problem("E105", f"'{name.value}' includes itself", name.place))
            continue
        if not path.is_file():
            known = [str(p.relative_to(file.parent)) for p in sorted(path.parent.glob("*.yaml"))]
            message = f"there is no file '{name.value}' beside {file.name}"
            problems.append(Problem("E105", message, name.place, help=nearest(str(name.value), known)))
            continue
        found = _read(path, str(path), folders, problems)
        if found is None:
            continue
        inner = _inner_arguments(found, entry, problems)
        found = _include(found, path, inner, folders, (*above, path.resolve()), problems)
        found = substitute(found, inner, problems)
        if "namespace" in entry.value:
            found = into_namespace(found, entry.value["namespace"], problems)
        below = merge(below, found, keep_nulls=True)
    return merge(below, own, keep_nulls=True)


def _inner_arguments(found: Item, entry: Item, problems: list[Problem]) -> dict[str, Any]:
    section = found.value.get("args")
    known = {} if section is None else {name: plain(item) for name, item in section.value.items()}
    given = entry.value.get("args")
    for name, item in given.value.items() if given is not None and given.value is not None else []:
        if name not in known:
            message = f"'{plain(entry.value['file'])}' has no argument '{name}'"
            problems.append(Problem("E107", message, item.key, help=nearest(name, known)))
        known[name] = plain(item)
    return known


def _place(flag: str, text: str, column: int = 1, width: int | None = None) -> Place:
    return Place(flag, 1, column, text, len(text) if width is None else width)


def _swap(text: str, document: Item, problems: list[Problem]) -> Item:
    name, sign, use = text.partition("=")
    nodes = _nodes(document)
    place = _place("--swap", text)
    if not sign:
        problems.append(Problem("E107", f"cannot read --swap {text}", place, help=("write --swap node=module:Class",)))
        return Item({}, place)
    if name not in nodes:
        problems.append(Problem("E302", f"there is no node '{name}'", place, help=nearest(name, nodes)))
        return Item({}, place)
    written = Item(use, _place("--swap", text, len(name) + 2, len(use)))
    return _nested(("nodes", name, "use"), written)


def _set(text: str, document: Item, problems: list[Problem]) -> Item:
    path, sign, value = text.partition("=")
    head, *rest = path.split(".")
    nodes = _nodes(document)
    place = _place("--set", text)
    written = Item(scalar(value), _place("--set", text, len(path) + 2, len(value)), place)
    if not sign:
        return Item({}, place)
    if head == "world":
        return _nested(("world", "with", *rest), written)
    if head not in nodes:
        known = (*nodes, "world")
        problems.append(Problem("E302", f"there is no node '{head}'", place, help=nearest(head, known)))
        return Item({}, place)
    if len(rest) == 1 and rest[0] in NODE and rest[0] not in ("use", "with", "in"):
        return _nested(("nodes", head, rest[0]), written)
    if len(rest) == 2 and rest[1] in WIRE:
        return _nested(("nodes", head, "in", *rest), written)
    return _nested(("nodes", head, "with", *rest), written)


def _nodes(document: Item) -> dict[str, Item]:
    section = document.value.get("nodes")
    return {} if section is None else section.value


def _nested(path: tuple[str, ...], item: Item) -> Item:
    for key in reversed(path):
        item = Item({key: item}, item.place, item.place)
    return item
