"""YAML documents with places: every value keeps the file, line and column at which it is written.

Scalars follow the core schema of YAML 1.2, so `no` and `on` are text and `1e-3` is a number. Tags and anchors are
refused: a launch file is data, with no language inside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embodied.errors import LaunchError, Place, Problem
from embodied.launch.problems import Problems
from embodied.untrusted.files import read_bytes
from embodied.untrusted.text import shown

MAX_SIZE = 1_000_000
"""Size of the largest launch file that is parsed [B]."""

LARGE = 100_000
"""Length of text from which on speed counts more than the words of an error [characters]."""

MAX_DEPTH = 32
"""Depth of the deepest nesting that is parsed [levels]."""

_OPENS = (
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
)
_CLOSES = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


_LIBYAML: Any = getattr(yaml, "CSafeLoader", None)


@dataclass(slots=True, repr=False)
class Item:
    """Value of a YAML document with its place.

    Attributes:
        value: a scalar, a dict of items or a list of items.
        place: where the value begins.
        key: place of its key, for a value in a mapping.
        text: the scalar as it is written without quotes: `00012345` for the number 12345; None for anything else.
        source: where the value is written, if a reference brought it to its place.
    """

    value: Any
    place: Place
    key: Place | None = None
    text: str | None = None
    source: Place | None = None

    @property
    def kind(self) -> str:
        """Kind of the value, in the words of a launch file."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return "nothing" if self.value is None else shown(self.value)

    def __repr__(self) -> str:
        return repr(plain(self))


def plain(item: Item) -> Any:
    """Return the value of a YAML item as plain data."""
    if isinstance(item.value, dict):
        return {key: plain(entry) for key, entry in item.value.items()}
    if isinstance(item.value, list):
        return [plain(entry) for entry in item.value]
    return item.value


def text_of(item: Item) -> str | None:
    """Return a scalar as text: quoted text, or a number as it is written; None for nothing, a list or a mapping."""
    if isinstance(item.value, str):
        return item.value
    return item.text if item.value is not None else None


def moved(item: Item, place: Place, key: Place | None, source: Place | None = None) -> Item:
    """Return a YAML item, and everything in it, at another place.

    Args:
        item: the item, which is not changed.
        place: where it is used.
        key: place of its key there.
        source: where it is written; None where that is the same.
    """
    value = item.value
    if isinstance(value, dict):
        value = {name: moved(entry, place, key, source) for name, entry in value.items()}
    elif isinstance(value, list):
        value = [moved(entry, place, key, source) for entry in value]
    return Item(value, place, key, item.text, source)


def entries(item: Item, key: str) -> dict[str, Item]:
    """Return the entries of a YAML section by name; none if the section is absent or null."""
    section = item.value.get(key)
    return {} if section is None or section.value is None else section.value


def without_keys(item: Item, *keys: str) -> Item:
    """Return a mapping without some of its keys."""
    return Item({key: entry for key, entry in item.value.items() if key not in keys}, item.place, item.key)


def walk(item: Item, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Item]]:
    """Yield a YAML item and everything in it, each with its path."""
    yield path, item
    if isinstance(item.value, dict):
        for key, entry in item.value.items():
            yield from walk(entry, (*path, key))
    elif isinstance(item.value, list):
        for index, entry in enumerate(item.value):
            yield from walk(entry, (*path, str(index)))


def read(path: Path, shown: str) -> Item:
    """Read a YAML file as items.

    Args:
        path: the file.
        shown: its name in errors.

    Raises:
        LaunchError: it cannot be read, or is not YAML.
    """
    return parse(read_source(path, shown), shown)


def read_source(path: Path, shown: str) -> str:
    """Read the text of a YAML file, with its line ends as they are; see `read`."""
    try:
        return read_bytes(path, MAX_SIZE).decode("utf-8")
    except UnicodeDecodeError:
        reason = "it is no text in UTF-8"
    except FileNotFoundError:
        reason = "there is no such file"
    except OSError as error:
        reason = error.strerror or str(error)
    raise LaunchError([Problem("E105", f"cannot read {shown}: {reason}", where=shown)])


def parse(text: str, shown: str) -> Item:
    """Parse YAML text as items; see `read`."""
    return _Parser(text, shown).document()


class _Parser:
    """Parser of one text, which collects the problems of its keys."""

    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown
        self._lines = text.splitlines()
        self._problems = Problems()

    def document(self) -> Item:
        node = self._compose()
        if node is None:
            raise LaunchError([Problem("E104", "the file is empty", Place(self._shown, 1, 1))])
        document = self._item(node)
        self._problems.raise_any()
        return document

    def _place(self, mark: Any, end: Any = None) -> Place:
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        width = end.column - mark.column if end is not None and end.line == mark.line else 1
        return Place(self._shown, mark.line + 1, mark.column + 1, line, max(1, width))

    def _compose(self) -> Any:
        """Compose the nodes of the text.

        libyaml is five times as fast as PyYAML's own parser, whose errors are clearer: that one reads again what
        libyaml refuses, unless the text is longer than people write.
        """
        if _LIBYAML is None:
            return self._nodes(yaml.SafeLoader)
        try:
            return self._nodes(_LIBYAML)
        except LaunchError:
            if len(self._text) > LARGE:
                raise
        return self._nodes(yaml.SafeLoader)

    def _nodes(self, loader: Any) -> Any:
        """Compose the nodes by one of the parsers, once its tokens are known to be harmless."""
        try:
            self._refuse_references(loader)
            reader = loader(self._text)
            try:
                return reader.get_single_node()
            finally:
                reader.dispose()
        except yaml.MarkedYAMLError as error:
            raise LaunchError([self._syntax(error)]) from None
        except yaml.reader.ReaderError as error:
            position = min(error.position, len(self._text) - 1)
            line = self._text.count("\n", 0, position) + 1
            column = position - (self._text.rfind("\n", 0, position) + 1) + 1
            sign = error.character if isinstance(error.character, int) else ord(self._text[position])
            message = f"not YAML: the character #x{sign:04x} is not allowed"
            raise LaunchError([Problem("E101", message, Place(self._shown, line, column))]) from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            message = f"not YAML: {str(error).splitlines()[0]}"
            raise LaunchError([Problem("E101", message, where=self._shown)]) from None

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        mark = error.problem_mark or error.context_mark
        also: tuple[tuple[Place, str], ...] = ()
        if error.context_mark is not None and mark is not error.context_mark:
            also = ((self._place(error.context_mark), str(error.context)),)
        here = None if mark is None else self._place(mark)
        # A brace that opens a reference opens a mapping to YAML, unless it stands in quotes.
        help_ = ('quote it: "${args.name}"',) if here is not None and "${" in here.text else ()
        if here is not None and "\t" in here.text[: here.column]:
            help_ = ("indent with spaces: YAML takes no tabs there",)
        return Problem("E101", f"not YAML: {error.problem or error.context}", here, help_, also)

    def _refuse_references(self, loader: Any) -> None:
        """Refuse anchors, aliases, tags and deep nesting among the tokens, before anything is composed from them."""
        depth = 0
        for token in yaml.scan(self._text, Loader=loader):
            if isinstance(token, _OPENS):
                depth += 1
            elif isinstance(token, _CLOSES):
                depth -= 1
            if depth > MAX_DEPTH:
                message = f"nested deeper than {MAX_DEPTH} levels"
                raise LaunchError([Problem("E106", message, self._place(token.start_mark))])
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
                sign = "&" if isinstance(token, yaml.AnchorToken) else "*"
                message = f"anchors and aliases are not allowed in a launch file: {sign}{token.value}"
                help_ = ("use 'args:' with ${args.name}, or 'include:'",)
                raise LaunchError([Problem("E106", message, self._place(token.start_mark, token.end_mark), help_)])
            if isinstance(token, yaml.TagToken):
                tag = "".join(part or "" for part in token.value)
                place = self._place(token.start_mark, token.end_mark)
                raise LaunchError(
                    [Problem("E106", f"tags are not allowed in a launch file: {tag}", place, ("remove the tag",))]
                )

    def _item(self, node: Any) -> Item:
        here = self._place(node.start_mark, node.end_mark)
        if isinstance(node, yaml.ScalarNode):
            quoted = node.style in ("'", '"', "|", ">")
            return Item(node.value, here) if quoted else Item(scalar(node.value), here, None, node.value)
        if isinstance(node, yaml.SequenceNode):
            return Item([self._item(entry) for entry in node.value], here)
        mapping: dict[str, Item] = {}
        for key_node, value_node in node.value:
            key_place = self._place(key_node.start_mark, key_node.end_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.add(Problem("E104", "a key is plain text here", key_place))
                continue
            key = str(key_node.value)
            entry = self._item(value_node)
            entry.key = key_place
            if key in mapping:
                also = ((mapping[key].key or mapping[key].place, "first"),)
                self._problems.add(Problem("E102", f"the key '{key}' stands here twice", key_place, also=also))
                continue
            mapping[key] = entry
        return Item(mapping, here)


MAX_DIGITS = 300
"""Length of the longest number [characters]; a longer one is text, since reading it costs the square of its length."""

_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}


def scalar(text: str) -> Any:
    """Read a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
