"""Writing what was measured into a site file, and leaving all else in it to the letter: comments, order, quotes.

The setting goes into the deepest mapping that is there already, as a block or between braces, as that is written; what
comes out is read again and compared with what was meant.
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
from embodied.launch.layer import read_layer
from embodied.launch.yaml_document import Item, parse, plain

ABOUT = f"# What differs between sites: lies over a launch file with --site.\nembodied: {VERSION}\n"


@dataclass(frozen=True, slots=True)
class Site:
    """A site file.

    Attributes:
        path: where it is, or will be.
        text: what stands in it.
    """

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Site:
        """The file, or an empty one where there is none.

        Raises:
            LaunchError: it cannot be read, or is no site file.
        """
        if not path.exists():
            return cls(path, ABOUT)
        read_layer(path, str(path))
        return cls(path, path.read_text(encoding="utf-8"))

    def check(self, node: str, setting: str, *, replace: bool = False) -> None:
        """Whether a setting may be written.

        Args:
            node: its name.
            setting: the field of its class.
            replace: whether it may be there already.

        Raises:
            LaunchError: it may not, or there can be no node of that name.
        """
        if not NODE_NAME.fullmatch(node):
            form = "use a-z, 0-9 and _, and begin with a letter"
            raise LaunchError([Problem("E103", f"'{node}' is not a name for a node", help=(form,))])
        held = _at(parse(self.text, str(self.path)), ("nodes", node, "with", setting))
        if held is not None and held.value is not None and not replace:
            message = f"'{node}' has a {setting} in {self.path} already"
            help_ = ("--replace writes the new one in its place", "or name another file with --site")
            raise LaunchError([Problem("E924", message, held.key or held.place, help_)])

    def put(self, node: str, setting: str, value: Mapping[str, Any]) -> Site:
        """The file with a setting of a node, in place of the one it may have.

        Args:
            node: its name.
            setting: the field of its class.
            value: plain data.

        Raises:
            LaunchError: it finds no place in it.
        """
        return self._written(("nodes", node, "with", setting), dict(value), f"{setting} of '{node}'")

    def limit(self, robot: str, joint: str, limits: Mapping[str, float]) -> Site:
        """The file with limits of a robot's joint, in place of those that it may have.

        Args:
            robot: its name.
            joint: its name.
            limits: `lower` and `upper`, one or both [rad].

        Raises:
            LaunchError: they find no place in it.
        """
        site = self
        for which, value in limits.items():
            path = ("robots", robot, "joints", joint, which)
            site = site._written(path, value, f"{which} of {joint} of '{robot}'")
        return site

    def _written(self, path: tuple[str, ...], value: Any, what: str) -> Site:
        text = _put(self.text, path, value)
        try:
            before, after = (plain(parse(version, str(self.path))) for version in (self.text, text))
        except LaunchError:
            before, after = {}, None
        if after != _with(before, path, value):
            help_ = ("write it there by hand: --json prints it",)
            raise LaunchError([Problem("E924", f"cannot write {what} into {self.path}", help=help_)])
        return Site(self.path, text)

    def write(self) -> None:
        """Write it, as a whole or not at all.

        Raises:
            OSError: that cannot be done.
        """
        target = self.path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_text(self.text, encoding="utf-8")
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
    """Plain data with a value at a path; a null above it is a mapping then."""
    if not path:
        return value
    held = data or {}
    return {**held, path[0]: _with(held.get(path[0]), path[1:], value)}


def _put(text: str, path: tuple[str, ...], value: Any) -> str:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        found = next((entry for name, entry in node.value if name.value == key), None)
        if found is None:
            return _insert(text, node, key, _nested(path[depth + 1 :], value))
        last = depth == len(path) - 1
        if last or not isinstance(found, yaml.MappingNode):
            begin, end, nested = found.start_mark.index, _end(found), _nested(path[depth + 1 :], value)
            as_block = isinstance(found, yaml.MappingNode) and not found.flow_style
            written = _block(nested, found.start_mark.column).strip() if as_block else _flow(nested)
            space = " " if begin == end or text[begin - 1] == ":" else ""
            return text[:begin] + space + written + text[end:]
        node = found
    return text


def _nested(keys: tuple[str, ...], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _insert(text: str, node: Any, key: str, value: Any) -> str:
    """A key more in a mapping: first between braces, which may close after a comma, and last in a block."""
    if node.flow_style:
        at = node.start_mark.index + 1
        return text[:at] + f"{key}: {_flow(value)}" + (", " if node.value else "") + text[at:]
    at = _end(node)
    if text[at - 1 : at] != "\n":
        # A comment may follow on the same line.
        line = text.find("\n", at)
        at, text = (line + 1, text) if line >= 0 else (len(text) + 1, text + "\n")
    return text[:at] + _block({key: value}, node.start_mark.column) + text[at:]


def _block(value: Any, column: int) -> str:
    written = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1 << 20)
    return textwrap.indent(written, " " * column)


def _flow(value: Any) -> str:
    written = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1 << 20)
    # PyYAML ends a document after a number that stands alone.
    return written.removesuffix("...\n").strip()


def _end(node: Any) -> int:
    """Where a value ends; PyYAML says of a block that it ends where the next begins."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)
