"""What classes and their settings say of themselves, for listings and for editors."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import tokenize
from collections.abc import Iterator
from io import StringIO


def about(thing: object) -> str:
    """The first line of what something says of itself."""
    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
    return str(lines[0]) if lines else ""


_ATTRIBUTE = re.compile(r"(\w+(?:, \w+)*): (.+)")


def about_settings(kind: type) -> dict[str, str]:
    """What a dataclass says of its fields: in its docstring under `Attributes:`, or in the comment behind each."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ == "builtins":
            continue
        found |= _comments(base)
        found |= _attributes(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
    return found


def _attributes(doc: str) -> dict[str, str]:
    _, _, section = doc.partition("\nAttributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith("    "):
            break
        entry = _ATTRIBUTE.fullmatch(line[4:])
        if entry:
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif line.strip() and names:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _comments(kind: type) -> dict[str, str]:
    """The comments behind the fields, which the class itself no longer knows."""
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
