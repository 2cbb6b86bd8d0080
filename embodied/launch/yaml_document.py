"""YAML with places: every value remembers the file, line and column it was written at.

Scalars follow YAML 1.2's core schema, so that `no` and `on` are text and `1e-3` is a number. Tags and anchors are
refused: a launch file is data without a language inside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embodied.errors import Place, Problem

MAX_SIZE = 1_000_000
"""A larger launch file [B] is refused before it is parsed."""

MAX_DEPTH = 32

_OPENS = (
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
)
_CLOSES = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


@dataclass(slots=True)
class Item:
    """A value with its place: a scalar, a dict of items or a list of items.

    Attributes:
        key: where the key stands that leads to it, when it is in a mapping.
    """

    value: Any
    place: Place
    key: Place | None = None

    @property
    def kind(self) -> str:
        """What it is, in the words of a launch file."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return "nothing" if self.value is None else repr(self.value)


def plain(item: Item) -> Any:
    """The value alone."""
    if isinstance(item.value, dict):
        return {key: plain(entry) for key, entry in item.value.items()}
    if isinstance(item.value, list):
        return [plain(entry) for entry in item.value]
    return item.value


def located(value: Any, like: Item) -> Item:
    """A plain value as an item that stands where another does."""
    if isinstance(value, dict):
        return Item({key: located(entry, like) for key, entry in value.items()}, like.place, like.key)
    if isinstance(value, list):
        return Item([located(entry, like) for entry in value], like.place, like.key)
    return Item(value, like.place, like.key)


def entries(item: Item, key: str) -> dict[str, Item]:
    """What stands in a mapping under a key, as a mapping; nothing if it is absent or null."""
    section = item.value.get(key)
    return {} if section is None or section.value is None else section.value


def walk(item: Item, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Item]]:
    """An item and everything in it, with its path."""
    yield path, item
    if isinstance(item.value, dict):
        for key, entry in item.value.items():
            yield from walk(entry, (*path, key))
    elif isinstance(item.value, list):
        for index, entry in enumerate(item.value):
            yield from walk(entry, (*path, str(index)))


def read(path: Path, shown: str, problems: list[Problem]) -> Item | None:
    """A YAML file as items.

    Args:
        path: the file.
        shown: its name in errors.
        problems: what is wrong is added here.

    Returns:
        the document; None if it cannot be read at all.
    """
    try:
        if not path.is_file():
            # A pipe would never end, and a folder has no text.
            raise OSError("it is a folder, or no file at all" if path.exists() else "there is no such file")
        size = path.stat().st_size
        if size > MAX_SIZE:
            raise OSError(f"{size} bytes; a launch file has at most {MAX_SIZE}")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problems.append(Problem("E105", f"cannot read {shown}: it is no text in UTF-8", where=shown))
        return None
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem("E105", f"cannot read {shown}: {reason}", where=shown))
        return None
    return parse(text, shown, problems)


def parse(text: str, shown: str, problems: list[Problem]) -> Item | None:
    """YAML text as items; see `read`."""
    lines = text.splitlines()

    def place(mark: Any, end: Any = None) -> Place:
        line = lines[mark.line] if mark.line < len(lines) else ""
        width = end.column - mark.column if end is not None and end.line == mark.line else 1
        return Place(shown, mark.line + 1, mark.column + 1, line, max(1, width))

    try:
        loader = yaml.SafeLoader(text)
        try:
            _refuse_references(loader, text, place, problems)
            loader = yaml.SafeLoader(text)
            node = None if problems else loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        also: tuple[tuple[Place, str], ...] = ()
        if error.context_mark is not None and mark is not error.context_mark:
            also = ((place(error.context_mark), str(error.context)),)
        message = f"not YAML: {error.problem or error.context}"
        here = None if mark is None else place(mark)
        # A brace that opens a reference opens a mapping to YAML, unless it stands in quotes.
        help_ = ('quote it: "${args.name}"',) if here is not None and "${" in here.text else ()
        if here is not None and "\t" in here.text[: here.column]:
            help_ = ("indent with spaces: YAML takes no tabs there",)
        problems.append(Problem("E101", message, here, help_, also))
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        message = f"not YAML: the character #x{ord(text[error.position]):04x} is not allowed"
        problems.append(Problem("E101", message, Place(shown, line, column)))
        return None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(Problem("E101", f"not YAML: {str(error).splitlines()[0]}", where=shown))
        return None
    if problems:
        return None
    if node is None:
        problems.append(Problem("E104", "the file is empty", Place(shown, 1, 1)))
        return None
    return _item(node, place, problems)


def _refuse_references(loader: Any, text: str, place: Any, problems: list[Problem]) -> None:
    """Anchors, aliases, tags and deep nesting, found among the tokens, before anything is composed from them."""
    depth = 0
    for token in yaml.scan(text, Loader=type(loader)):
        if isinstance(token, _OPENS):
            depth += 1
        elif isinstance(token, _CLOSES):
            depth -= 1
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            problems.append(Problem("E106", message, place(token.start_mark)))
            return
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            sign = "&" if isinstance(token, yaml.AnchorToken) else "*"
            message = f"anchors and aliases are not allowed in a launch file: {sign}{token.value}"
            help_ = ("use 'args:' with ${args.name}, or 'include:'",)
            problems.append(Problem("E106", message, place(token.start_mark, token.end_mark), help=help_))
            return
        if isinstance(token, yaml.TagToken):
            message = "tags are not allowed in a launch file: " + "".join(part or "" for part in token.value)
            problems.append(Problem("E106", message, place(token.start_mark, token.end_mark), help=("remove the tag",)))
            return


def _item(node: Any, place: Any, problems: list[Problem]) -> Item:
    here = place(node.start_mark, node.end_mark)
    if isinstance(node, yaml.ScalarNode):
        return Item(_scalar(node), here)
    if isinstance(node, yaml.SequenceNode):
        return Item([_item(entry, place, problems) for entry in node.value], here)
    made: dict[str, Item] = {}
    for key_node, value_node in node.value:
        key_place = place(key_node.start_mark, key_node.end_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem("E104", "a key is plain text here", key_place))
            continue
        key = str(key_node.value)
        entry = _item(value_node, place, problems)
        entry.key = key_place
        if key in made:
            first = made[key].key or made[key].place
            problems.append(Problem("E102", f"the key '{key}' stands here twice", key_place, also=((first, "first"),)))
            continue
        made[key] = entry
    return Item(made, here)


MAX_DIGITS = 300
"""A longer number is text: no setting can hold it, and reading it costs the square of its length."""

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


def _scalar(node: Any) -> Any:
    return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)


def scalar(text: str) -> Any:
    """Plain text as YAML 1.2's core schema reads it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
