"""Annotations of a pull request for problems, as GitHub's workflow commands.

A command is one line, `::error file=…,line=…::message`; characters that would end it or one of its properties are
escaped as `%0A` and the like (docs.github.com, "Workflow commands for GitHub Actions").
"""

from __future__ import annotations

import os
from pathlib import Path

from embodied.errors import Problem
from embodied.untrusted.text import written_out

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(message: str, **properties: object) -> str:
    """Return GitHub's workflow command that annotates a pull request with an error.

    Args:
        message: text of the error, of one or several lines.
        properties: `file`, `line`, `col` and `title`, as far as they are known.
    """
    fields = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::error {fields}::{_escaped(message, _DATA)}"


def annotate(problem: Problem, file: Path) -> str:
    """Return the annotation of a problem at its place in a pull request; of an option, at the launch file.

    Args:
        problem: problem found by a check.
        file: launch file that was checked.
    """
    lines = [problem.message, *(f"{word}: {place}" for place, word in problem.also)]
    message = "\n".join([*lines, *(f"help: {line}" for line in problem.help)])
    place = problem.place
    if place is None or place.file.startswith("--"):
        return annotation(message, file=repository_path(str(file)), title=problem.code)
    return annotation(message, file=repository_path(place.file), line=place.line, col=place.column, title=problem.code)


WORKSPACE_VARIABLE = "GITHUB_WORKSPACE"
"""Environment variable with the folder of the repository in a step."""


def repository_path(file: str) -> str:
    """Return a path as the repository has it, whatever folder the step runs in; as it is if it lies elsewhere."""
    path = Path(os.path.normpath(Path(file).absolute()))
    for folder in (os.environ.get(WORKSPACE_VARIABLE), str(Path.cwd())):
        root = Path(os.path.normpath(Path(folder or "/").absolute()))
        for inner, outer in ((path, root), (path.resolve(), root.resolve())):
            if folder and inner.is_relative_to(outer):
                return str(inner.relative_to(outer))
    return file


def _escaped(text: str, signs: dict[str, str]) -> str:
    return written_out("".join(signs.get(sign, sign) for sign in text))
