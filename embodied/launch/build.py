"""Building of a graph from a document that is complete: profile, site and overrides applied, references replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Place, Problem
from embodied.graph.entry import Entry
from embodied.graph.graph import Graph
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.validate.nodes import complaints
from embodied.launch.merge import merge
from embodied.launch.node_section import read_fault, read_machine, read_restart, read_timing, read_wires
from embodied.launch.problems import Problems
from embodied.launch.settings import Settings
from embodied.launch.yaml_document import Item, entries, plain, text_of, walk
from embodied.robot import Robot
from embodied.world import World


@dataclass(slots=True)
class Build:
    """Result of building a graph from a document, complete or not.

    Attributes:
        graph: the graph; a node without a class is a placeholder in it, and one with problems is left out.
        missing: place of each node without a class, by name.
        problems: everything else that is wrong.
    """

    graph: Graph
    missing: dict[str, Place] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)


def build_graph(document: Item, folders: Mapping[str, Path]) -> Build:
    """Build the graph of a document.

    Args:
        document: the document, with every layer merged.
        folders: by file, the folder that relative paths in it are relative to.
    """
    build = Build(_frame(document))
    problems = build.problems
    robots = _robots(document, Settings(folders), problems)
    settings = Settings(folders, robots, frozenset(entries(document, "robots")) - frozenset(robots))
    build.graph.world = _world(document, settings, problems)
    faults = document.value.get("faults")
    for fault in [] if faults is None else faults.value:
        with problems.collecting():
            build.graph.faults.append(read_fault(fault))
    if not entries(document, "nodes"):
        problems.add(Problem("E104", "there are no nodes", document.place, ("add 'nodes:'",)))
    for name, section in entries(document, "nodes").items():
        if "use" in section.value:
            node = problems.attempt(settings.instance, section, "node", f"'{name}'")
        else:
            node = MissingDriver()
            build.missing[name] = section.key or section.place
        wires = problems.attempt(read_wires, section)
        timing = problems.attempt(read_timing, section)
        restart = problems.attempt(read_restart, name, section)
        machine = problems.attempt(read_machine, section)
        if node is None or wires is None or timing is None or restart is None:
            continue
        try:
            build.graph.put(Entry(name, node, timing, wires, _places(section), machine, restart))
        except LaunchError as error:
            place = section.key or section.place
            problems.extend(Problem(p.code, p.message, place, p.help) for p in error.problems)
    return build


def build_robots(document: Item, folders: Mapping[str, Path]) -> dict[str, Robot]:
    """Build the robots that a document describes, by name.

    Raises:
        LaunchError: a description is wrong.
    """
    problems = Problems()
    robots = _robots(document, Settings(folders), problems)
    problems.raise_any()
    return robots


def _frame(document: Item) -> Graph:
    """Start a graph with what belongs to the whole: its clock, its processes and its machines."""
    clock = document.value.get("clock")
    processes = document.value.get("processes")
    machines = document.value.get("machines")
    return Graph(
        # A file without a profile meets the robot, and a robot lives in real time.
        clock="steady" if clock is None else clock.value,
        processes=() if processes is None else tuple(tuple(group) for group in plain(processes)),
        machines={name: text_of(entry) or "" for name, entry in entries(document, "machines").items()},
        places={
            (key, *path): entry.place
            for key, section in (("machines", machines), ("processes", processes))
            if section is not None
            for path, entry in walk(section)
        },
    )


def _robots(document: Item, settings: Settings, problems: Problems) -> dict[str, Robot]:
    sections = entries(document, "robots").items()
    robots = {name: problems.attempt(settings.robot, name, section) for name, section in sections}
    return {name: robot for name, robot in robots.items() if robot is not None}


def _world(document: Item, settings: Settings, problems: Problems) -> World | None:
    """Build the world, and each of its variants, so that --world is not the first to find what is wrong."""
    section = document.value.get("world")
    if section is None:
        return None
    place = section.key or section.place
    if "use" not in section.value:
        problems.add(Problem("E206", "the world has no 'use'", place))
        return None
    world: World | None = problems.attempt(_checked_world, section, "the world", place, settings, problems)
    for name, layer in entries(document, "worlds").items() if world is not None else ():
        problems.attempt(_checked_world, merge(section, layer), f"the world '{name}'", layer.place, settings, problems)
    return world


def _checked_world(section: Item, who: str, place: Place, settings: Settings, problems: Problems) -> Any:
    world = settings.instance(section, "world", who)
    problems.extend(Problem(code, f"{who}: {sentence}", place) for code, sentence in complaints(world))
    return world


def _places(section: Item) -> dict[tuple[str, ...], Place]:
    """Return the place of each part of a node: its key, but its value for what errors point at."""
    places = {path: entry.key or entry.place for path, entry in walk(section)}
    places |= {path: entry.place for path, entry in walk(section) if path and path[0] in ("use", "on")}
    for name, wire in entries(section, "in").items():
        if isinstance(wire.value, dict) and "from" in wire.value:
            places["in", name] = wire.value["from"].place
    return places
