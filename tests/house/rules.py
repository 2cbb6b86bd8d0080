"""Rules of the house that no linter knows: first lines, words, class names, file lengths, constants, import cycles."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house.sources import PACKAGES, ROOT, Source, sources
from tests.house.words import PATTERN, instead

LINES_MOST = 350
"""Length that no Python file exceeds [lines]."""

WORDS_LEAST = 5
"""Length that the first line of a docstring has at least [words]."""

OPENINGS = (
    "It",
    "Its",
    "What",
    "Who",
    "Whose",
    "Whom",
    "So",
    "Where",
    "When",
    "How",
    "Why",
    "Which",
    "That",
    "Somebody",
)
"""Words that a first line does not begin with: they name no thing and command nothing."""


def first_lines(files: Iterable[Source]) -> Iterator[str]:
    """Check the first line of each public docstring: a verb or a noun phrase, of five words or more."""
    for file in files:
        for line, name, text in file.docstrings():
            if name.startswith("_") and not name.startswith("__init__"):
                continue
            first = text.strip().split("\n\n")[0].replace("\n", " ")
            words = re.findall(r"[^\s]+", first)
            if words[0].strip(",.;:") in OPENINGS:
                yield f"{file.place(line)}: {name}: first line begins with '{words[0]}': {first}"
            elif len(words) < WORDS_LEAST:
                yield f"{file.place(line)}: {name}: first line has {len(words)} words: {first}"


def words(files: Iterable[Source], pages: Iterable[Path] = ()) -> Iterator[str]:
    """Check docstrings, messages, comments and pages against the word list."""
    for file in files:
        for line, text in sorted((*file.strings(), *file.comments(PATTERN))):
            if text.isidentifier():
                continue  # a key or a name of the interface, no prose
            for offset, part in enumerate(text.splitlines()):
                for match in PATTERN.finditer(part):
                    yield f"{file.place(line + offset)}: '{match[0]}' ({instead(match[0])}): {part.strip()}"
    for page in pages:
        for number, part in enumerate(page.read_text("utf-8").splitlines(), 1):
            for match in PATTERN.finditer(part):
                place = f"{page.relative_to(ROOT)}:{number}"
                yield f"{place}: '{match[0]}' ({instead(match[0])}): {part.strip()}"


def class_names(files: Iterable[Source]) -> Iterator[str]:
    """Check that a class name stands once in its package."""
    homes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        package = str(file.path.parent.relative_to(file.root))
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef):
                homes[package, node.name].append(file.place(node.lineno))
    for (package, name), places in sorted(homes.items()):
        if len(places) > 1:
            yield f"{package}: class {name} stands at {', '.join(places)}"


def lengths(files: Iterable[Source]) -> Iterator[str]:
    """Check that no file is longer than one idea needs."""
    for file in files:
        lines = file.text.count("\n")
        if lines > LINES_MOST:
            yield f"{file.place(1)}: {lines} lines, at most {LINES_MOST}"


def constants(files: Iterable[Source]) -> Iterator[str]:
    """Check that each constant of a module has a line of its own."""
    for file in files:
        for node in file.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Tuple)
                and isinstance(node.value, ast.Tuple)
            ):
                yield f"{file.place(node.lineno)}: several constants in one line: {ast.unparse(node)}"


def imports(files: Iterable[Source]) -> dict[str, set[str]]:
    """Read which module imports which, lazy and typing-only imports included."""
    files = list(files)
    known = {file.name for file in files}
    graph: dict[str, set[str]] = {}
    for file in files:
        graph[file.name] = set()
        for node in file.nodes:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [
                    f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in known else node.module
                    for alias in node.names
                ]
            else:
                continue
            graph[file.name] |= {name for name in names if name in known and name != file.name}
    return graph


def cycles(files: Iterable[Source]) -> Iterator[str]:
    """Find import cycles: strongly connected components of the import graph (Tarjan 1972)."""
    graph = imports(files)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                yield from visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            component = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(component) > 1:
                yield component

    for name in sorted(graph):
        if name not in index:
            for component in visit(name):
                yield "import cycle: " + ", ".join(sorted(component))


def pages() -> list[Path]:
    """List the Markdown pages that users read; the changelog is history and stays as it was."""
    own = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(own + [page for package in PACKAGES for page in (ROOT / package).rglob("*.md")])


RULES = ("first_lines", "words", "class_names", "lengths", "constants", "cycles")
"""Names of the rules, in the order in which they are reported."""


def violations(rule: str, *folders: str) -> list[str]:
    """List what breaks a rule.

    Args:
        rule: one of `RULES`.
        folders: where to look; by default everywhere.
    """
    product = sources(*folders)
    if rule == "words":
        chosen = [page for page in pages() if not folders or any(page.is_relative_to(ROOT / part) for part in folders)]
        return list(words(product, chosen))
    if rule == "lengths" and not folders:
        return list(lengths(sources(*PACKAGES, "tests")))
    if rule == "cycles":
        return list(cycles(sources()))
    checks = {"first_lines": first_lines, "class_names": class_names, "lengths": lengths, "constants": constants}
    return list(checks[rule](product))
