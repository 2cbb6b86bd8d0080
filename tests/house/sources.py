"""Source files of the project, parsed once, with their prose: docstrings, string literals and comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("embodied", "sims", "drivers", "policies")
NAMES = (ast.Name, ast.Load, ast.Store)
"""Half of all nodes, and no rule looks at them."""


@dataclass(frozen=True)
class Source:
    """A Python file below a project's root."""

    path: Path
    root: Path = ROOT

    @property
    def name(self) -> str:
        """Dotted module name, without a trailing `__init__`."""
        return ".".join(self.path.relative_to(self.root).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def text(self) -> str:
        """Whole text of the file."""
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Syntax tree of the file."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax tree except names, collected once for all rules."""
        found: list[ast.AST] = []
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            found.append(node)
            for field in node._fields:
                value = getattr(node, field)
                if isinstance(value, list):
                    waiting += [item for item in value if isinstance(item, ast.AST) and item.__class__ is not ast.Name]
                elif isinstance(value, ast.AST) and value.__class__ not in NAMES:
                    waiting.append(value)
        return found

    def place(self, line: int) -> str:
        """Format a line as `path:line`, relative to the project's root."""
        return f"{self.path.relative_to(self.root)}:{line}"

    def docstrings(self) -> Iterator[tuple[int, str, str]]:
        """Yield line, name and text of each docstring; names of private things begin with an underscore."""

        def walk(node: ast.AST, private: bool) -> Iterator[tuple[int, str, str]]:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    hidden = private or (child.name.startswith("_") and not child.name.endswith("__"))
                    text = ast.get_docstring(child)
                    if text is not None:
                        yield child.body[0].lineno, "_" * hidden + child.name, text
                    yield from walk(child, hidden)
                elif not isinstance(child, ast.expr):
                    yield from walk(child, private)

        module = ast.get_docstring(self.tree)
        if module is not None:
            yield 1, self.name, module
        yield from walk(self.tree, False)

    def strings(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of every string literal, docstrings and parts of f-strings included."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value

    def comments(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
        """Yield line and text of every comment in which a pattern is found."""
        # Python's own tokenizer takes a second for 50 000 lines: it reads no file in which it would find nothing.
        if not any(pattern.search(line.partition("#")[2]) for line in self.text.splitlines() if "#" in line):
            return
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT and pattern.search(token.string):
                yield token.start[0], token.string


@cache
def _source(path: Path) -> Source:
    """Return the source of a file; each is read and parsed once for all rules."""
    return Source(path)


def sources(*folders: str) -> list[Source]:
    """List the Python files below some folders; by default of the four packages.

    Args:
        folders: relative to the project's root; a file of its own will do.
    """
    found: list[Path] = []
    for folder in folders or PACKAGES:
        path = ROOT / folder
        found += [path] * (path.suffix == ".py") if path.is_file() else sorted(path.rglob("*.py"))
    return [_source(path) for path in found if "scaffold" not in path.parts and "__pycache__" not in path.parts]
