"""Loading of launch files: parse, compose, apply a profile and overrides, build, validate.

Layers, lowest first: includes < file < profile < site < --world < --swap < --set. Every value keeps the place at which
it is written, and relative paths are relative to that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Place, Problem
from embodied.graph.graph import Graph
from embodied.graph.plan import Plan
from embodied.graph.validate.compile import check_without_drivers
from embodied.launch.build import Build, build_graph, build_robots
from embodied.launch.compose import Composer, arguments
from embodied.launch.layer import read_layer
from embodied.launch.overrides import Overrides
from embodied.launch.problems import Problems
from embodied.launch.profile import apply_profile, gives_driver, unused_settings
from embodied.launch.project import enter, enter_current_folder, project_root
from embodied.launch.renamed import current_name
from embodied.launch.shipped import SHIPPED, locate
from embodied.launch.substitution import substitute
from embodied.launch.warnings import plan_warnings
from embodied.launch.yaml_document import Item, entries, plain, without_keys
from embodied.robot import Robot


@dataclass(frozen=True, slots=True)
class ProfileCheck:
    """Outcome of checking one profile of a loaded launch file.

    Attributes:
        profile: its name; None for the file itself, which meets the robot.
        plan: the plan that a runner follows; None if anything is wrong or missing.
        missing: by node without a driver, the problem that says so; everything else is checked nevertheless.
        problems: everything else that is wrong.
        hints: advice that changes nothing, such as the new name of a class that has moved.
        warnings: what is right and may still do what nobody wants, such as a gripper that is too narrow.
    """

    profile: str | None
    plan: Plan | None
    missing: Mapping[str, Problem]
    problems: tuple[Problem, ...]
    hints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Launch:
    """Loaded launch file with its includes and overrides, from which each profile is built.

    Attributes:
        file: path of the file, as it is named.
        arguments: values of the file's arguments.
        partial: whether the file is a fragment: it describes robots, or sets nothing but settings of nodes of the file
            that includes it, and has neither world nor clock nor anything else of a whole.
    """

    file: Path
    arguments: Mapping[str, Any]
    partial: bool
    _composed: Item
    _arguments: Mapping[str, Item]
    _site: Item | None
    _overrides: Overrides
    _folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles, in the order they are written."""
        return tuple(entries(self._composed, "profiles"))

    def graph(self, profile: str | None = None) -> Graph:
        """Build the graph of one profile; None is the file without any, which meets the robot.

        Raises:
            LaunchError: with every problem found.
        """
        build = self._build(profile)
        if build.missing or build.problems:
            raise LaunchError([*self._missing(build, profile).values(), *build.problems])
        return build.graph

    def check(self, profile: str | None = None) -> ProfileCheck:
        """Check everything in one profile, whether or not each node has a driver in it."""
        problems = Problems()
        plan: Plan | None = None
        missing: dict[str, Problem] = {}
        hints: tuple[str, ...] = ()
        with problems.collecting():
            document = self._document(profile)
            hints = (*_moved_classes(document), *self.unused(profile))
            build = build_graph(document, self._folders)
            missing = self._missing(build, profile)
            problems.extend(build.problems)
            if not problems:
                problems.extend(check_without_drivers(build.graph) if missing else ())
                plan = None if missing else build.graph.check()
        # On hardware a body of the simulated world is a driver that is missing as well.
        simulated = [problem for problem in problems if problem.code == "E702"]
        missing |= {problem.where.removeprefix("node "): problem for problem in simulated}
        others = tuple(problem for problem in problems if problem not in simulated)
        return ProfileCheck(profile, plan, missing, others, hints, () if plan is None else tuple(plan_warnings(plan)))

    def uses(self, profile: str | None = None) -> dict[str, str | None]:
        """Return the class that each node names in a profile, and the `world`; None for a node that names none.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        document = self._document(profile)
        uses = {name: plain(node).get("use") for name, node in entries(document, "nodes").items()}
        return uses | ({"world": plain(document.value["world"]).get("use")} if "world" in document.value else {})

    def unused(self, profile: str | None = None) -> tuple[str, ...]:
        """List the settings of the site file that a profile does not use, a sentence each.

        Raises:
            LaunchError: there is no such profile.
        """
        return tuple(unused_settings(self._composed, profile, self._site, self.file))

    @property
    def included(self) -> frozenset[Path]:
        """Files that it includes, and those that these include."""
        return frozenset(Path(name).resolve() for name in self._folders) - {self.file.resolve()}

    def worlds(self, profile: str | None = None) -> tuple[str, ...]:
        """Names of the worlds that may take the place of the world in a profile.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        return tuple(entries(self._document(profile), "worlds"))

    def missing(self, profile: str | None = None) -> tuple[str, ...]:
        """Names of the nodes that have no class in a profile.

        Raises:
            LaunchError: the profile cannot be resolved.
        """
        return tuple(name for name, use in self.uses(profile).items() if use is None and name != "world")

    def robots(self) -> dict[str, Robot]:
        """Build the robots that the file and its includes describe, by name.

        Raises:
            LaunchError: one of them is wrong.
        """
        return build_robots(self._document(None), self._folders)

    def _document(self, profile: str | None) -> Item:
        return apply_profile(self._composed, profile, self._site, self._overrides, self._arguments, self.file)

    def _build(self, profile: str | None) -> Build:
        return build_graph(self._document(profile), self._folders)

    def _missing(self, build: Build, profile: str | None) -> dict[str, Problem]:
        return {name: self._no_driver(name, profile, place) for name, place in build.missing.items()}

    def _no_driver(self, node: str, profile: str | None, place: Place) -> Problem:
        where = "the file itself, which meets the robot," if profile is None else f"profile '{profile}'"
        others = [name for name in self.profiles if gives_driver(self._composed, name, node, self.file)]
        help_ = "write 'use: \"module:Class\"'"
        if others:
            help_ = f"profiles that have one: {', '.join(others)} (run with --profile {others[0]})"
        return Problem("E206", f"'{node}' has no driver: {where} gives it no 'use'", place, (help_,))


def load(file: str | Path, overrides: Overrides | None = None) -> Launch:
    """Load a launch file: read it and compose it with everything that it includes.

    Args:
        file: the launch file, or the name of one in `launch/` or of one that ships.
        overrides: options of the command line.

    Raises:
        LaunchError: with every problem found.
    """
    overrides = overrides or Overrides()
    file = locate(Path(file))
    problems = Problems()
    root = problems.attempt(read_layer, file, str(file))
    site = None if overrides.site is None else problems.attempt(_read_site, overrides.site)
    problems.raise_any()
    assert root is not None
    enter_current_folder()
    if not file.resolve().is_relative_to(SHIPPED.resolve()):
        enter(project_root(file), file.stat().st_uid)
    args = arguments(root, site, overrides.sets)
    composer = Composer({path: Path() for path in ("--swap", "--set")})
    composer.folders[str(file)] = file.resolve().parent
    composed = composer.compose(root, file, args)
    composer.problems.raise_any()
    if site is not None and overrides.site is not None:
        composer.folders[str(overrides.site)] = overrides.site.resolve().parent
        site = substitute(without_keys(site, "embodied", "args"), args)
    values = {name: plain(item) for name, item in args.items()}
    return Launch(file, values, _is_partial(root), composed, args, site, overrides, composer.folders)


def _read_site(path: Path) -> Item:
    """Read a site file, which lies over every profile and so has none of its own."""
    site = read_layer(path, str(path))
    foreign = [(key, site.value[key]) for key in ("include", "profiles") if key in site.value]
    if foreign:
        raise LaunchError(
            [
                Problem("E103", f"a site file has no '{key}': it lies over every profile", item.key or item.place)
                for key, item in foreign
            ]
        )
    return site


_WHOLE = ("include", "world", "worlds", "clock", "machines", "processes")
"""Sections that a fragment does not have."""


def _is_partial(root: Item) -> bool:
    sections = [root, *(profile for profile in entries(root, "profiles").values() if profile.value is not None)]
    whole = any(key in section.value for section in sections for key in _WHOLE)
    nodes = [node for section in sections for node in entries(section, "nodes").values() if node.value is not None]
    settings = bool(nodes) and all(set(node.value) == {"with"} for node in nodes)
    return not whole and (settings or bool(entries(root, "robots")))


def _moved_classes(document: Item) -> list[str]:
    """List the classes that are named as before they moved, each with its place and its present name."""
    sections = [*entries(document, "nodes").values(), *([document.value["world"]] if "world" in document.value else [])]
    uses = [section.value["use"] for section in sections if "use" in section.value]
    moved = [(use, current_name(use.value)) for use in uses if isinstance(use.value, str)]
    return [f"{use.place}: '{use.value}' is now '{name}'" for use, name in moved if name != use.value]
