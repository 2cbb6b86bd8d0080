"""Composition of a launch file: its arguments, and one document of the file with everything that it includes.

Each file is read, checked, and its references are replaced before it is merged with anything. Includes lie below the
file that includes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embodied.errors import LaunchError, Problem, nearest
from embodied.launch.layer import read_layer
from embodied.launch.merge import beside, merge
from embodied.launch.namespace import into_namespace
from embodied.launch.overrides import flag_place, flag_value
from embodied.launch.problems import Problems
from embodied.launch.shipped import locate_include, nearest_include
from embodied.launch.substitution import substitute, unresolved
from embodied.launch.yaml_document import Item, entries, plain, text_of, without_keys

MAX_INCLUDES = 64
"""Number of files that one launch file may include, includes of includes among them."""


def arguments(root: Item, site: Item | None, sets: Sequence[str]) -> dict[str, Item]:
    """Collect the values of a launch file's arguments: file < site < --set.

    Args:
        root: the launch file.
        site: the site file, if there is one.
        sets: options `--set`, of which those with a dot in their names set something else.

    Raises:
        LaunchError: an argument does not exist, or has no value.
    """
    problems = Problems()
    values = {name: substitute(item, {}) for name, item in entries(root, "args").items()}
    for name, item in {} if site is None else entries(site, "args").items():
        with problems.collecting():
            _require(name, values, f"there is no argument '{name}'", item)
        values[name] = item
    for text in sets:
        name, sign, _ = text.partition("=")
        if not sign:
            message = f"cannot read --set {text}"
            help_ = "write --set name=value or --set node.setting=value"
            problems.add(Problem("E107", message, flag_place("--set", text), (help_,)))
        elif "." not in name:
            if name not in values:
                message = f"there is no argument '{name}'"
                help_ = "a node's setting is set as node.setting=value"
                problems.add(Problem("E107", message, flag_place("--set", text), (*nearest(name, values), help_)))
            with problems.collecting():
                values[name] = flag_value(text)
    for item in values.values():
        problems.extend(unresolved(item))
    problems.raise_any()
    return values


@dataclass(slots=True)
class Composer:
    """Composer of a launch file and everything that it includes into one document.

    Attributes:
        folders: by file as errors show it, the folder that its relative paths are relative to.
        problems: everything that is wrong in any of the files.
    """

    folders: dict[str, Path]
    problems: Problems = field(default_factory=Problems)
    _count: int = 0

    def compose(self, root: Item, file: Path, args: Mapping[str, Item], above: tuple[Path, ...] = ()) -> Item:
        """Merge a file over everything that it includes.

        Args:
            root: the file as a layer.
            file: its path.
            args: values of its arguments.
            above: the files that include it, from the outermost.
        """
        layer = substitute(without_keys(root, "args"), args)
        below = Item({}, root.place)
        for entry in (layer.value["include"].value or []) if "include" in layer.value else []:
            if self._count > MAX_INCLUDES:
                break
            with self.problems.collecting():
                fragment = self._include(entry, file, (*above, file.resolve()))
                self.problems.extend(_conflicts(below, fragment, entry.value["file"]))
                below = beside(below, fragment)
        return merge(below, without_keys(layer, "include", "embodied"), keep_nulls=True)

    def _include(self, entry: Item, file: Path, above: tuple[Path, ...]) -> Item:
        """Read and compose one include."""
        missing = list(unresolved(entry))
        if missing:
            raise LaunchError(missing)
        name, written = entry.value["file"], text_of(entry.value["file"])
        if not written:
            raise LaunchError([Problem("E104", f"'file' is the name of a file; got {name.kind}", name.place)])
        # A reference may have brought the name from another file, or from the command line.
        # Beside the file itself, not beside a link to it; its path is shown as it was given.
        target = file.resolve().parent
        here = file.parent if file.parent.resolve() == target else target
        folders = (here if name.source is None else self.folders.get(name.source.file, here), here)
        path = locate_include(written, folders)
        if path is None:
            message = f"there is no file '{written}' beside {file.name}, nor among those that are installed"
            raise LaunchError([Problem("E105", message, name.place, nearest_include(written, folders))])
        if path.resolve() in above:
            raise LaunchError([Problem("E105", f"'{written}' includes itself", name.place)])
        self._count += 1
        if self._count > MAX_INCLUDES:
            raise LaunchError([Problem("E105", f"more than {MAX_INCLUDES} files are included", name.place)])
        root = read_layer(path, str(path))
        self.folders[str(path)] = path.resolve().parent
        fragment = self.compose(root, path, self._fragment_arguments(root, entry), above)
        return into_namespace(fragment, entry.value["namespace"]) if "namespace" in entry.value else fragment

    def _fragment_arguments(self, root: Item, entry: Item) -> dict[str, Item]:
        """Collect the values of a fragment's arguments: its own < those of the include."""
        values = {name: substitute(item, {}) for name, item in entries(root, "args").items()}
        for name, item in entries(entry, "args").items():
            with self.problems.collecting():
                _require(name, values, f"'{plain(entry.value['file'])}' has no argument '{name}'", item)
            values[name] = item
        for item in values.values():
            self.problems.extend(unresolved(item))
        return values


def _require(name: str, known: Mapping[str, Item], message: str, item: Item) -> None:
    if name not in known:
        raise LaunchError([Problem("E107", message, item.key, nearest(name, known))])


def _conflicts(one: Item, other: Item, include: Item) -> list[Problem]:
    """List the robots and machines that two includes describe differently; they are shared, so they must agree."""
    conflicts = []
    for section, word in (("robots", "robot"), ("machines", "machine")):
        for name, description in entries(other, section).items():
            before = entries(one, section).get(name)
            if before is not None and plain(before) != plain(description):
                message = f"two includes describe the {word} '{name}' differently"
                also = ((before.place, "one"), (description.place, "the other"))
                conflicts.append(Problem("E110", message, include.place, ("give one of them another name",), also))
    return conflicts
