"""A resolved document becomes nodes and wires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from embodied.clock import duration
from embodied.errors import FOREIGN, LaunchError, Place, Problem, nearest, told
from embodied.graph.entry import BOUND, Entry, Timing, Wire
from embodied.graph.faults import KINDS, Fault
from embodied.graph.graph import Graph
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.restart import NEVER, Restart
from embodied.graph.validate.nodes import complaints
from embodied.launch.class_lookup import find_class
from embodied.launch.merge import merge
from embodied.launch.yaml_document import Item, entries, plain, walk
from embodied.node.node import bounds
from embodied.node.settings import Context, SettingError, convert, field_types, make, name_of, required
from embodied.ranges import Range
from embodied.robot import Robot
from embodied.world import World


def build_graph(
    document: Item,
    folders: Mapping[str, Path],
    profile: str | None,
    others: Mapping[str, frozenset[str]],
    problems: list[Problem],
    missing: dict[str, Problem],
) -> Graph:
    """The graph of a resolved document.

    Args:
        document: with all layers merged and all references replaced.
        folders: by file, what its relative paths are relative to.
        profile: its name, None for the file itself.
        others: by other profile, the nodes that have a class there.
        problems: what is wrong is added here.
        missing: by node, that it has no class; such a node is a placeholder in the graph.
    """
    robots = build_robots(document, folders, problems)
    clock = document.value.get("clock")
    processes = document.value.get("processes")
    machines = document.value.get("machines")
    graph = Graph(
        world=_world(document, robots, folders, problems),
        # A file without a profile meets the robot, and a robot lives in real time.
        clock="steady" if clock is None else clock.value,
        processes=() if processes is None else tuple(tuple(group) for group in plain(processes)),
        machines={} if machines is None else plain(machines),
        places={
            (key, *path): entry.place
            for key, section in (("machines", machines), ("processes", processes))
            if section is not None
            for path, entry in walk(section)
        },
    )
    for item in document.value["faults"].value if "faults" in document.value else []:
        made = _fault(item, problems)
        graph.faults += [] if made is None else [made]
    nodes = document.value.get("nodes")
    if nodes is None or not nodes.value:
        help_ = ("add 'nodes:'",)
        problems.append(Problem("E104", "there are no nodes", document.place, help=help_))
        return graph
    for name, item in nodes.value.items():
        if "use" not in item.value:
            missing[name] = _no_class(name, item, profile, others)
            node: Any = MissingDriver()
        else:
            node = _instance(item, "node", f"'{name}'", robots, folders, problems)
        wires = _wires(item, problems)
        timing = _timing(item, problems)
        restart = _restart(name, item, problems)
        if node is None or timing is None or restart is None:
            continue
        places = {path: entry.key or entry.place for path, entry in walk(item)}
        places |= {path: entry.place for path, entry in walk(item) if path and path[0] in ("use", "on")}
        places |= _wire_places(item)
        try:
            graph.put(Entry(name, node, timing, wires, places, _machine(item, problems), restart))
        except LaunchError as error:
            problems += [Problem(p.code, p.message, item.key or item.place, p.help) for p in error.problems]
    return graph


def _no_class(name: str, item: Item, profile: str | None, others: Mapping[str, frozenset[str]]) -> Problem:
    where = "the file itself, which meets the robot," if profile is None else f"profile '{profile}'"
    having = [other for other, names in others.items() if name in names]
    if having:
        help_ = (f"profiles that have one: {', '.join(having)} (run with --profile {having[0]})",)
    else:
        help_ = ("write 'use: \"module:Class\"'",)
    return Problem("E206", f"'{name}' has no driver: {where} gives it no 'use'", item.key or item.place, help=help_)


def build_robots(document: Item, folders: Mapping[str, Path], problems: list[Problem]) -> dict[str, Robot]:
    """The robots that a resolved document describes, by name."""
    section = document.value.get("robots")
    found: dict[str, Robot] = {}
    for name, item in section.value.items() if section is not None else []:
        if not isinstance(item.value, dict):
            problems.append(Problem("E104", f"robot '{name}' is a mapping; got {item.kind}", item.place))
            continue
        context = Context({}, _folder(item.value.get("urdf", item), folders))
        try:
            found[name] = make(Robot, {"name": name, **plain(item)}, context)
        except SettingError as error:
            message = f"robot '{name}': {error}"
            problems.append(Problem("E205", message, _inside(item, error.path), help=error.help))
    return found


def _world(
    document: Item, robots: Mapping[str, Robot], folders: Mapping[str, Path], problems: list[Problem]
) -> World | None:
    item = document.value.get("world")
    if item is None:
        return None
    if "use" not in item.value:
        problems.append(Problem("E206", "the world has no 'use'", item.key or item.place))
        return None
    world: World | None = _instance(item, "world", "the world", robots, folders, problems)
    problems += [Problem(code, f"the world: {text}", item.key or item.place) for code, text in complaints(world)]
    if world is not None:
        # Variants are proven with the world they vary, or --world would be the first to find out.
        for name, over in entries(document, "worlds").items():
            other = _instance(merge(item, over), "world", f"the world '{name}'", robots, folders, problems)
            problems += [Problem(code, f"the world '{name}': {text}", over.place) for code, text in complaints(other)]
    return world


def _instance(
    item: Item,
    kind: str,
    who: str,
    robots: Mapping[str, Robot],
    folders: Mapping[str, Path],
    problems: list[Problem],
) -> Any:
    """A node or a world from its `use` and `with`; None if something is wrong."""
    use = item.value["use"]
    found = find_class(use.value, kind, use.place, problems)
    if found is None:
        return None
    given = item.value.get("with")
    values: dict[str, Item] = {} if given is None or given.value is None else given.value
    try:
        known = field_types(found)
    except (NameError, TypeError) as error:
        problems.append(Problem("E209", f"cannot read the settings of {found.__name__}: {error}", use.place))
        return None
    before = len(problems)
    made: dict[str, Any] = {}
    for key, entry in values.items():
        if key not in known:
            message = f"{found.__name__} has no setting '{key}'"
            problems.append(Problem("E103", message, entry.key or entry.place, help=nearest(key, known)))
            continue
        try:
            made[key] = convert(known[key], plain(entry), Context(robots, _folder(entry, folders)))
            _within(bounds(found).get(key), made[key])
        except SettingError as error:
            message = f"{who}, setting '{key}': {error}"
            problems.append(Problem("E205", message, _inside(entry, error.path), help=error.help))
    for key in required(found):
        if key not in values:
            message = f"{who} needs the setting '{key}' ({name_of(known[key])}) of {found.__name__}"
            help_ = (f"add 'with: {{{key}: …}}'",)
            problems.append(Problem("E204", message, item.key or item.place, help=help_))
    if len(problems) > before:
        return None
    try:
        return found(**made)
    except FOREIGN as error:
        message = f"{who}: {found.__name__} refuses its settings: {told(error)}"
        problems.append(Problem("E205", message, (given or use).place))
        return None


def _within(limits: Range | None, value: Any) -> None:
    """A tunable setting begins where it may be tuned to.

    Raises:
        SettingError: it does not.
    """
    if limits is not None and not limits.low <= value <= limits.high:
        raise SettingError(f"expected {limits.low:g} to {limits.high:g}, got {value!r}")


def _wires(item: Item, problems: list[Problem]) -> dict[str, Wire]:
    section = item.value.get("in")
    general = item.value.get("max_age")
    if general is not None and not (section is not None and section.value):
        problems.append(Problem("E405", "max_age: this node has no wires", general.place))
    made: dict[str, Wire] = {}
    for name, wire in section.value.items() if section is not None and section.value else []:
        source = wire.value.get("from")
        if source is None or not isinstance(source.value, str):
            problems.append(Problem("E104", f"input '{name}' needs 'from: node.port'", wire.key or wire.place))
            continue
        age = wire.value.get("max_age", general)
        bound = wire.value.get("bound")
        if bound is not None and (
            not isinstance(bound.value, int) or isinstance(bound.value, bool) or not 1 <= bound.value <= 100_000
        ):
            message = f"expected how many wait at most, a whole number from 1 to 100000, got {bound.value!r}"
            problems.append(Problem("E405", message, bound.place))
            continue
        try:
            limit = None if age is None else duration(age.value)
        except ValueError as error:
            problems.append(Problem("E405", f"max_age: {error}", age.place if age is not None else wire.place))
            continue
        lossless = wire.value.get("lossless")
        if lossless is not None and not isinstance(lossless.value, bool):
            problems.append(Problem("E104", f"'lossless' is true or false; got {lossless.kind}", lossless.place))
            continue
        waits = lossless is not None and lossless.value
        made[name] = Wire(source.value, limit, BOUND if bound is None else bound.value, waits)
    return made


def _timing(item: Item, problems: list[Problem]) -> Timing | None:
    values = {key: item.value[key] for key in ("rate", "latency", "jitter") if key in item.value}
    before = len(problems)
    for key, entry in values.items():
        try:
            Timing.of(**{key: entry.value})
        except ValueError as error:
            problems.append(Problem("E401" if key == "rate" else "E405", f"{key}: {error}", entry.place))
    if len(problems) > before:
        return None
    return Timing.of(**{key: entry.value for key, entry in values.items()})


def _machine(item: Item, problems: list[Problem]) -> str | None:
    on = item.value.get("on")
    # A reference may have put something else in its place.
    if on is not None and not isinstance(on.value, str):
        problems.append(Problem("E104", f"'on' is text; got {on.kind}", on.place))
    return None if on is None else on.value


def _restart(name: str, item: Item, problems: list[Problem]) -> Restart | None:
    section = item.value.get("restart")
    try:
        return NEVER if section is None else Restart.of(plain(section))
    except SettingError as error:
        problems.append(Problem("E407", f"'{name}': {error}", _inside(section, error.path), help=error.help))
        return None


def _fault(item: Item, problems: list[Problem]) -> Fault | None:
    about = plain(item)
    kind = next(key for key in KINDS if about.get(key) is not None)
    target = about.pop(kind)
    if not isinstance(target, str):
        problems.append(Problem("E801", f"{kind}: expected the name of a node, got {target!r}", item.value[kind].place))
        return None
    try:
        made = Fault.of(kind, target, about)
    except SettingError as error:
        place = item.value[error.path[0]].place
        problems.append(Problem("E801", f"{kind} {target}: {error}", place, error.help))
        return None
    places = {path: entry.place for path, entry in walk(item)}
    return replace(made, places=places)


def _wire_places(item: Item) -> dict[tuple[str, ...], Place]:
    """A wire is shown where its source is written."""
    section = item.value.get("in")
    found: dict[tuple[str, ...], Place] = {}
    for name, wire in section.value.items() if section is not None and section.value else []:
        if isinstance(wire.value, dict) and "from" in wire.value:
            found["in", name] = wire.value["from"].place
    return found


def _folder(item: Item, folders: Mapping[str, Path]) -> Path:
    return folders.get(item.place.file, Path())


def _inside(item: Item, path: tuple[str, ...]) -> Place:
    """The place of a part of a value, as near as it is known."""
    for key in path:
        if isinstance(item.value, dict) and key in item.value:
            item = item.value[key]
        elif isinstance(item.value, list) and key.isdigit() and int(key) < len(item.value):
            item = item.value[int(key)]
        else:
            break
    return item.place
