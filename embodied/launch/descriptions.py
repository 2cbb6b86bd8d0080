"""Descriptions of classes and settings, read from their docstrings and comments for listings and editors."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import tokenize
from collections.abc import Iterator
from io import StringIO


def about(thing: object) -> str:
    """Return the description of a class: the first line of its docstring."""
    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
    return str(lines[0]) if lines else ""


_ATTRIBUTE = re.compile(r"(\w+(?:, \w+)*): (.+)")


def about_settings(kind: type) -> dict[str, str]:
    """Read the descriptions of a class's settings, from `Attributes:` in its docstring or the comment behind each."""
    descriptions: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ == "builtins":
            continue
        descriptions |= _comments(base)
        descriptions |= _attributes(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
    return descriptions


def _attributes(doc: str) -> dict[str, str]:
    _, _, section = doc.partition("\nAttributes:\n")
    descriptions: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith("    "):
            break
        entry = _ATTRIBUTE.fullmatch(line[4:])
        if entry:
            names = entry[1].split(", ")
            descriptions |= dict.fromkeys(names, entry[2])
        elif line.strip() and names:
            descriptions |= {name: f"{descriptions[name]} {line.strip()}" for name in names}
    return descriptions


def _comments(kind: type) -> dict[str, str]:
    """Read the comments behind the fields from the source, since a class object has none."""
    try:
        source = textwrap.dedent(inspect.getsource(kind))
        (tree,) = ast.parse(source).body
        comments = dict(_comment_lines(source))
    except (OSError, TypeError, SyntaxError, ValueError, tokenize.TokenError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    fields = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {
        node.target.id: comments[node.end_lineno]
        for node in fields
        if isinstance(node.target, ast.Name) and node.end_lineno in comments
    }


def _comment_lines(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")
