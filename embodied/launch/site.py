"""Site files: writing measured settings into one, with comments, order and quotes of the rest kept to the letter.

A setting goes into the deepest mapping that exists, as a block or between braces like that mapping. The new text is
parsed again and compared with the data that was meant.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embodied.errors import LaunchError, Problem
from embodied.graph.entry import NODE_NAME
from embodied.launch.keys import VERSION
from embodied.launch.layer import parse_layer
from embodied.launch.yaml_document import Item, parse, plain, read_source

HEADER = f"# What differs between sites: lies over a launch file with --site.\nembodied: {VERSION}\n"
"""Text of a new site file."""


@dataclass(frozen=True, slots=True)
class Site:
    """Site file as text, to write settings into; it need not exist yet.

    Attributes:
        path: path of the file.
        text: its contents.
    """

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Site:
        """Read a site file; one that does not exist is empty.

        Args:
            path: path of the file.

        Raises:
            LaunchError: it cannot be read, or is no site file.
        """
        if not path.exists():
            return cls(path, HEADER)
        text = read_source(path, str(path))
        parse_layer(text, str(path))
        return cls(path, text)

    def check(self, node: str, setting: str, *, replace: bool = False) -> None:
        """Check that a setting may be written.

        Args:
            node: name of the node.
            setting: name of the setting.
            replace: whether a present value may be replaced.

        Raises:
            LaunchError: the setting is there already, or the name is no node's.
        """
        if not NODE_NAME.fullmatch(node):
            form = "use a-z, 0-9 and _, and begin with a letter"
            raise LaunchError([Problem("E103", f"'{node}' is not a name for a node", help=(form,))])
        present = _at(parse(self.text, str(self.path)), ("nodes", node, "with", setting))
        if present is not None and present.value is not None and not replace:
            message = f"'{node}' has a {setting} in {self.path} already"
            help_ = ("--replace writes the new one in its place", "or name another file with --site")
            raise LaunchError([Problem("E924", message, present.key or present.place, help_)])

    def put(self, node: str, setting: str, value: Mapping[str, Any]) -> Site:
        """Return the file with a setting of a node, added or replaced.

        Args:
            node: name of the node.
            setting: name of the setting.
            value: value of the setting, as plain data.

        Raises:
            LaunchError: the text has no place where it can be written.
        """
        return self._written(("nodes", node, "with", setting), dict(value), f"{setting} of '{node}'")

    def limit(self, robot: str, joint: str, limits: Mapping[str, float]) -> Site:
        """Return the file with limits of a robot's joint, added or replaced.

        Args:
            robot: name of the robot.
            joint: name of the joint.
            limits: `lower` and `upper`, one or both [rad].

        Raises:
            LaunchError: the text has no place where they can be written.
        """
        site = self
        for which, value in limits.items():
            path = ("robots", robot, "joints", joint, which)
            site = site._written(path, value, f"{which} of {joint} of '{robot}'")
        return site

    def _written(self, path: tuple[str, ...], value: Any, what: str) -> Site:
        ends = "\r\n" if "\r\n" in self.text else "\n"
        text = _put(self.text, path, value, ends)
        try:
            before, after = (plain(parse(version, str(self.path))) for version in (self.text, text))
        except LaunchError:
            before, after = {}, None
        if after != _with(before, path, value):
            help_ = ("write it there by hand: --json prints it",)
            raise LaunchError([Problem("E924", f"cannot write {what} into {self.path}", help=help_)])
        return Site(self.path, text)

    def write(self) -> None:
        """Write the file atomically: as a whole or not at all.

        Raises:
            OSError: the folder or the file cannot be written.
        """
        target = self.path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_bytes(self.text.encode())
            if target.exists():
                part.chmod(target.stat().st_mode & 0o777)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _at(item: Item | None, path: tuple[str, ...]) -> Item | None:
    for key in path:
        item = item.value.get(key) if item is not None and isinstance(item.value, dict) else None
    return item


def _with(data: Any, path: tuple[str, ...], value: Any) -> Any:
    """Return plain data with a value at a path; a null above it becomes a mapping."""
    if not path:
        return value
    mapping = data or {}
    return {**mapping, path[0]: _with(mapping.get(path[0]), path[1:], value)}


def _put(text: str, path: tuple[str, ...], value: Any, ends: str) -> str:
    """Write a value at a path into YAML text, with the line ends that it has."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        entry = next((value_node for name, value_node in node.value if name.value == key), None)
        if entry is None:
            return _insert(text, node, key, _nested(path[depth + 1 :], value), ends)
        last = depth == len(path) - 1
        if last or not isinstance(entry, yaml.MappingNode):
            begin, end, nested = entry.start_mark.index, _end(entry), _nested(path[depth + 1 :], value)
            as_block = isinstance(entry, yaml.MappingNode) and not entry.flow_style
            written = _block(nested, entry.start_mark.column, ends).strip() if as_block else _flow(nested)
            space = " " if begin == end or text[begin - 1] == ":" else ""
            return text[:begin] + space + written + text[end:]
        node = entry
    return text


def _nested(keys: tuple[str, ...], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _insert(text: str, node: Any, key: str, value: Any, ends: str) -> str:
    """Add a key to a mapping: first between braces, since they may close after a comma, and last in a block."""
    if node.flow_style:
        at = node.start_mark.index + 1
        return text[:at] + f"{key}: {_flow(value)}" + (", " if node.value else "") + text[at:]
    at = _end(node)
    if text[at - 1 : at] != "\n":
        # A comment may follow on the same line.
        line = text.find("\n", at)
        at, text = (line + 1, text) if line >= 0 else (len(text) + len(ends), text + ends)
    return text[:at] + _block({key: value}, node.start_mark.column, ends) + text[at:]


def _block(value: Any, column: int, ends: str) -> str:
    written = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1 << 20)
    return textwrap.indent(written, " " * column).replace("\n", ends)


def _flow(value: Any) -> str:
    written = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1 << 20)
    # PyYAML ends a document after a number that stands alone.
    return written.removesuffix("...\n").strip()


def _end(node: Any) -> int:
    """Return the index at which a value ends; the end mark of a block in PyYAML is where the next block begins."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)
