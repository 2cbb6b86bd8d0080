"""Instances of nodes, worlds and robots from their sections: `use` names the class, `with` its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, Place, Problem, error_text, nearest
from embodied.interrupts import foreign
from embodied.launch.class_lookup import find_class
from embodied.launch.problems import Problems
from embodied.launch.yaml_document import Item, entries
from embodied.node.node import bounds
from embodied.node.settings import BrokenRobot, Context, SettingError, convert, field_types, make, name_of, required
from embodied.node.written import Written
from embodied.robot import Robot


@dataclass(frozen=True, slots=True)
class Settings:
    """Reader of a section's settings, which may name robots and files, into an instance.

    Attributes:
        folders: by file, the folder that relative paths in it are relative to.
        robots: robots by name.
        broken: names of robots whose descriptions are wrong.
    """

    folders: Mapping[str, Path]
    robots: Mapping[str, Robot] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def instance(self, section: Item, kind: str, who: str) -> Any:
        """Make a node or a world.

        Args:
            section: its section, with a `use`.
            kind: `node` or `world`.
            who: its name in errors.

        Raises:
            LaunchError: with every problem of its class and its settings.
        """
        use = section.value["use"]
        class_ = find_class(use.value, kind, use.place)
        try:
            types = field_types(class_)
        except (NameError, TypeError) as error:
            message = f"cannot read the settings of {class_.__name__}: {error}"
            raise LaunchError([Problem("E209", message, use.place)]) from None
        problems = Problems()
        limits = bounds(class_)
        values: dict[str, Any] = {}
        complete = True
        for key, entry in entries(section, "with").items():
            if key not in types:
                message = f"{class_.__name__} has no setting '{key}'"
                problems.add(Problem("E103", message, entry.key or entry.place, nearest(key, types)))
                continue
            try:
                values[key] = convert(types[key], self._written(entry), Context(self.robots, broken=self.broken))
            except BrokenRobot:
                complete = False
                continue
            except SettingError as error:
                message = f"{who}, setting '{key}': {error}"
                problems.add(Problem("E205", message, place_inside(entry, error.path), error.help))
                continue
            if key in limits:
                outside = limits[key].problems(**{key: values[key]})
                problems.extend(Problem("E205", f"{who}: {sentence}", entry.place) for sentence in outside)
        for key in required(class_):
            if key not in entries(section, "with"):
                message = f"{who} needs the setting '{key}' ({name_of(types[key])}) of {class_.__name__}"
                help_ = (f"add 'with: {{{key}: …}}'",)
                problems.add(Problem("E204", message, section.key or section.place, help_))
        problems.raise_any()
        if not complete:
            # The robot's own problem is enough.
            raise LaunchError([])
        try:
            return class_(**values)
        except foreign() as error:
            message = f"{who}: {class_.__name__} refuses its settings: {error_text(error)}"
            raise LaunchError([Problem("E205", message, section.value.get("with", use).place)]) from None

    def robot(self, name: str, section: Item) -> Robot:
        """Make a robot from its description.

        Raises:
            LaunchError: the description is wrong.
        """
        if not isinstance(section.value, dict):
            message = f"robot '{name}' is a mapping; got {section.kind}"
            raise LaunchError([Problem("E104", message, section.place)])
        try:
            robot: Robot = make(Robot, {"name": name, **self._written(section)}, Context())
        except SettingError as error:
            message = f"robot '{name}': {str(error).removeprefix('Robot: ')}"
            path = error.path or _path_of_joint(section, message)
            raise LaunchError([Problem("E205", message, place_inside(section, path), error.help)]) from None
        return robot

    def _written(self, item: Item) -> Any:
        """Return an item as plain data, each scalar with its text and the folder of the file in which it is written."""
        if isinstance(item.value, dict):
            return {key: self._written(entry) for key, entry in item.value.items()}
        if isinstance(item.value, list):
            return [self._written(entry) for entry in item.value]
        text = item.value if isinstance(item.value, str) else item.text or ""
        return Written(item.value, text, self.folders.get((item.source or item.place).file, _HERE))


def _path_of_joint(robot: Item, message: str) -> tuple[str, ...]:
    """Return the path in a robot's section to the joint, and its key, that a message names; empty if it names none."""
    words = set(re.findall(r"[^\s,:'()]+", message))
    joints = entries(robot, "joints")
    for name in sorted(words & set(joints)) if isinstance(joints, dict) else ():
        keys = joints[name].value if isinstance(joints[name].value, dict) else {}
        return ("joints", name, *sorted(words & set(keys))[:1])
    return ()


_HERE = Path()
"""Folder of a value that stands in no file: the current one."""


def place_inside(item: Item, path: tuple[str, ...]) -> Place:
    """Return the place of a part of a setting's value, or of the nearest part around it whose place is known."""
    for key in path:
        if isinstance(item.value, dict) and key in item.value:
            item = item.value[key]
        elif isinstance(item.value, list) and key.isdigit() and int(key) < len(item.value):
            item = item.value[int(key)]
        else:
            break
    return item.place
