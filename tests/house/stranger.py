"""Stranger's test: can a person who sees only the tree with first lines place functions drawn at random?

    python -m tests.house.stranger SEED FOLDER

Writes `tree.txt` (every file with the first line of its docstring), `questions.txt` (40 functions and classes: name and
first line, without their file) and `answers.txt` into the folder. Whoever answers gets the first two files alone.
"""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

from tests.house.sources import ROOT, Source, sources

QUESTIONS = 40
"""Number of functions and classes that are drawn."""


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """Return the first line of a docstring, or nothing where there is none."""
    return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")


def tree(files: list[Source]) -> str:
    """Format every file with the first line of its docstring."""
    return "\n".join(f"{file.path.relative_to(ROOT)}: {first_line(file.tree)}" for file in files) + "\n"


def questions(files: list[Source], seed: int) -> list[tuple[str, str]]:
    """Draw functions and classes.

    Returns:
        question and answer of each: name with its first line, and the path of its file.
    """
    known = [
        (f"{node.name}: {first_line(node)}", str(file.path.relative_to(ROOT)))
        for file in files
        for node in file.tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_") and first_line(node)
    ]
    return random.Random(seed).sample(known, QUESTIONS)


def main(seed: int, folder: Path) -> None:
    """Write the three files."""
    files = sources()
    drawn = questions(files, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tree.txt").write_text(tree(files), encoding="utf-8")
    for name, column in (("questions", 0), ("answers", 1)):
        lines = [f"{number}. {pair[column]}" for number, pair in enumerate(drawn, 1)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
