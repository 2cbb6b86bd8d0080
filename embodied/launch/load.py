"""A launch file becomes a graph.

Order: file < profile < site < --world < --swap < --set. Includes lie below the file that includes them. Every value
keeps the place it was written at, and relative paths are relative to that file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Place, Problem, nearest
from embodied.graph.graph import Graph
from embodied.graph.plan import Plan
from embodied.graph.validate.compile import check_without_drivers
from embodied.launch.build import build_graph, build_robots
from embodied.launch.class_lookup import enter, project_root
from embodied.launch.keys import check_file, check_section
from embodied.launch.merge import beside, merge, without_nulls
from embodied.launch.namespace import into_namespace
from embodied.launch.overrides import Overrides, fitting, other_world, place_of, set_value, swap, written_value
from embodied.launch.shipped import SHIPPED, locate, locate_include, nearest_include
from embodied.launch.substitution import substitute
from embodied.launch.yaml_document import Item, entries, plain, read
from embodied.robot import Robot

MAX_INCLUDES = 64


@dataclass(frozen=True, slots=True)
class ProfileCheck:
    """Outcome of checking one profile.

    Attributes:
        profile: its name; None for the file itself, which meets the robot.
        plan: the plan that a runner follows; None if anything is wrong or missing.
        missing: by node without a driver, the problem that says so; everything else is checked nevertheless.
        problems: everything else that is wrong.
    """

    profile: str | None
    plan: Plan | None
    missing: Mapping[str, Problem]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Launch:
    """A launch file that has been read, with its includes and overrides.

    Attributes:
        file: as it was named.
        profiles: names of the profiles it defines.
        partial: it describes a robot, or gives nothing but settings to nodes of the file that includes it, and has
            neither world nor clock nor what else belongs to a whole.
    """

    file: Path
    _root: Item
    _overrides: Overrides
    _args: Mapping[str, Any]
    _site: Item | None
    _folders: dict[str, Path] = field(default_factory=dict)
    partial: bool = False

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles, in the order they are written."""
        return tuple(entries(self._root, "profiles"))

    def graph(self, profile: str | None = None) -> Graph:
        """The graph of one profile; None is the file without any, which meets the robot.

        Raises:
            LaunchError: with every problem found.
        """
        problems: list[Problem] = []
        missing: dict[str, Problem] = {}
        graph = self._build(profile, problems, missing)
        if problems or missing:
            raise LaunchError([*missing.values(), *problems])
        return graph

    def check(self, profile: str | None = None) -> ProfileCheck:
        """Check everything in one profile, whether or not each node has a driver in it."""
        problems: list[Problem] = []
        missing: dict[str, Problem] = {}
        plan = None
        try:
            graph = self._build(profile, problems, missing)
            if missing and not problems:
                problems = check_without_drivers(graph)
            elif not problems:
                plan = graph.check()
        except LaunchError as error:
            problems += error.problems
        # On hardware a body of the simulated world is a driver that is missing as well.
        simulated = [problem for problem in problems if problem.code == "E702"]
        missing |= {problem.where.removeprefix("node "): problem for problem in simulated}
        return ProfileCheck(profile, plan, missing, tuple(problem for problem in problems if problem not in simulated))

    def _build(self, profile: str | None, problems: list[Problem], missing: dict[str, Problem]) -> Graph:
        document = self._resolved(profile)
        others = {name: self._drivers(name) for name in self.profiles if name != profile}
        return build_graph(document, self._folders, profile, others, problems, missing)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the file, with their values."""
        return self._args

    def uses(self, profile: str | None = None) -> dict[str, str | None]:
        """The classes that the nodes name in a profile, and the `world`; None for one that names none.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        document = self._resolved(profile)
        named = {name: plain(node).get("use") for name, node in entries(document, "nodes").items()}
        return named | ({"world": plain(document.value["world"]).get("use")} if "world" in document.value else {})

    def worlds(self, profile: str | None = None) -> tuple[str, ...]:
        """Names of the worlds that may take the place of the world in a profile.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        return tuple(entries(self._resolved(profile), "worlds"))

    def missing(self, profile: str | None = None) -> tuple[str, ...]:
        """Names of the nodes that have no class in a profile.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        return tuple(name for name, use in self.uses(profile).items() if use is None and name != "world")

    def robots(self) -> dict[str, Robot]:
        """The robots that the file and its includes describe, by name.

        Raises:
            LaunchError: one of them is wrong.
        """
        problems: list[Problem] = []
        found = build_robots(self._resolve(None, problems), self._folders, problems)
        if problems:
            raise LaunchError(problems)
        return found

    def _drivers(self, profile: str) -> frozenset[str]:
        """Names of the nodes that have a class in a profile."""
        nodes = entries(self._resolve(profile, []), "nodes")
        return frozenset(name for name, node in nodes.items() if "use" in node.value)

    def _resolved(self, profile: str | None) -> Item:
        problems: list[Problem] = []
        document = self._resolve(profile, problems)
        if problems:
            raise LaunchError(problems)
        return document

    def _resolve(self, profile: str | None, problems: list[Problem]) -> Item:
        document = Item({k: v for k, v in self._root.value.items() if k != "profiles"}, self._root.place)
        layers = self._chain(profile, problems)
        for layer in layers:
            document = merge(document, layer)
        if self._site is not None:
            document = merge(document, fitting(self._site, document, layers, problems))
        if self._overrides.world is not None:
            document = merge(document, other_world(self._overrides.world, document, problems))
        for text in self._overrides.swaps:
            document = merge(document, swap(text, document, problems))
        for text in self._overrides.sets:
            if "." in text.partition("=")[0]:
                document = merge(document, set_value(text, document, self._args, problems))
        document = without_nulls(document)
        if not problems:
            check_section(document, problems)
        return substitute(document, self._args, problems)

    def _chain(self, profile: str | None, problems: list[Problem]) -> list[Item]:
        """A profile and those it is based on, lowest first."""
        known = entries(self._root, "profiles")
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


def load(file: str | Path, overrides: Overrides | None = None) -> Launch:
    """Read a launch file, with everything it includes.

    Args:
        file: the launch file, or the name of one in `launch/` or of one that ships.
        overrides: site, swaps and sets.

    Raises:
        LaunchError: with every problem found.
    """
    overrides = overrides or Overrides()
    file = locate(Path(file))
    problems: list[Problem] = []
    folders: dict[str, Path] = {"--swap": Path(), "--set": Path()}
    root = _read(file, str(file), folders, problems)
    site = None if overrides.site is None else _read(overrides.site, str(overrides.site), folders, problems)
    foreign = [] if site is None else [(k, site.value[k]) for k in ("include", "profiles") if k in site.value]
    for key, item in foreign:
        message = f"a site file has no '{key}': it lies over every profile"
        problems.append(Problem("E103", message, item.key or item.place))
    if root is None or problems:
        raise LaunchError(problems)
    # Where the command is given, then where the file stands, so that the file's own project comes first.
    enter(project_root(Path.cwd() / "launch.yaml"))
    if not file.resolve().is_relative_to(SHIPPED.resolve()):
        enter(project_root(file))
    args = _arguments(root, site, overrides.sets, problems)
    document = _include(root, file, args, _Reading(folders, problems), (file.resolve(),))
    if problems:
        raise LaunchError(problems)
    return Launch(file, document, overrides, args, _without(site), folders, _partial(root))


_WHOLE = ("include", "world", "worlds", "clock", "machines", "processes")


def _partial(root: Item) -> bool:
    sections = [root, *(profile for profile in entries(root, "profiles").values() if profile.value is not None)]
    whole = any(key in section.value for section in sections for key in _WHOLE)
    nodes = [node for section in sections for node in entries(section, "nodes").values() if node.value is not None]
    settings = bool(nodes) and all(set(node.value) == {"with"} for node in nodes)
    return not whole and (settings or bool(entries(root, "robots")))


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
    known = {name: plain(substitute(item, {}, problems)) for name, item in entries(root, "args").items()}
    if site is not None:
        for name, item in entries(site, "args").items():
            if name not in known:
                message = f"there is no argument '{name}'"
                problems.append(Problem("E107", message, item.key, help=nearest(name, known)))
            known[name] = plain(item)
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign:
            help_ = ("write --set name=value or --set node.setting=value",)
            problems.append(Problem("E107", f"cannot read --set {text}", place_of("--set", text), help=help_))
        elif "." not in name:
            if name not in known:
                fix = (*nearest(name, known), "a node's setting is set as node.setting=value")
                message = f"there is no argument '{name}'"
                problems.append(Problem("E107", message, place_of("--set", text), help=fix))
            known[name] = plain(written_value(value, text, len(name) + 2, problems))
    return known


@dataclass(slots=True)
class _Reading:
    """What is shared while a file and its includes are read."""

    folders: dict[str, Path]
    problems: list[Problem]
    count: int = 0


def _include(root: Item, file: Path, args: Mapping[str, Any], reading: _Reading, above: tuple[Path, ...]) -> Item:
    """A file on top of everything it includes."""
    problems = reading.problems
    section = root.value.get("include")
    own = Item({k: v for k, v in root.value.items() if k not in ("include", "args", "embodied")}, root.place)
    below = Item({}, root.place)
    for written in (section.value or []) if section is not None else []:
        entry = substitute(written, args, problems)
        name = entry.value["file"]
        path = locate_include(str(name.value), file.parent)
        if path is None:
            message = f"there is no file '{name.value}' beside {file.name}, nor among those that are installed"
            help_ = nearest_include(str(name.value), file.parent)
            problems.append(Problem("E105", message, name.place, help=help_))
            continue
        reading.count += 1
        if path.resolve() in above:
            problems.append(Problem("E105", f"'{name.value}' includes itself", name.place))
            continue
        if reading.count > MAX_INCLUDES:
            problems.append(Problem("E105", f"more than {MAX_INCLUDES} files are included", name.place))
            break
        found = _read(path, str(path), reading.folders, problems)
        if found is None:
            continue
        inner = _inner_arguments(found, entry, problems)
        found = _include(found, path, inner, reading, (*above, path.resolve()))
        found = substitute(found, inner, problems)
        if "namespace" in entry.value:
            found = into_namespace(found, entry.value["namespace"], problems)
        _agree(below, found, name, problems)
        below = beside(below, found)
    return merge(below, own, keep_nulls=True)


def _agree(one: Item, other: Item, name: Item, problems: list[Problem]) -> None:
    """Robots and machines are shared, so two includes may not say different things of one."""
    for key, word in (("robots", "robot"), ("machines", "machine")):
        for shared, told in entries(other, key).items():
            before = entries(one, key).get(shared)
            if before is not None and plain(before) != plain(told):
                message = f"two includes describe the {word} '{shared}' differently"
                also = ((before.place, "one"), (told.place, "the other"))
                problems.append(Problem("E110", message, name.place, ("give one of them another name",), also))


def _inner_arguments(found: Item, entry: Item, problems: list[Problem]) -> dict[str, Any]:
    known = {name: plain(substitute(item, {}, problems)) for name, item in entries(found, "args").items()}
    for name, item in entries(entry, "args").items():
        if name not in known:
            message = f"'{plain(entry.value['file'])}' has no argument '{name}'"
            problems.append(Problem("E107", message, item.key, help=nearest(name, known)))
        known[name] = plain(item)
    return known
