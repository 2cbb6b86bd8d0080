"""Problems as annotations of a pull request, by GitHub's workflow commands.

A command is one line, `::error file=…,line=…::message`; what would end it, or a property of it, is written as `%0A` and
the like (docs.github.com, "Workflow commands for GitHub Actions").
"""

from __future__ import annotations

from pathlib import Path

from embodied.errors import Problem

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(message: str, **properties: object) -> str:
    """One workflow command that shows an error.

    Args:
        message: its text; it may have several lines.
        properties: `file`, `line`, `col` and `title`, as far as they are known.
    """
    told = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::error {told}::{_escaped(message, _DATA)}"


def annotate(problem: Problem, file: Path) -> str:
    """A problem where it stands; one of an option of the command line stands at the launch file.

    Args:
        problem: what is wrong.
        file: the launch file that was checked.
    """
    lines = [problem.message, *(f"{word}: {place}" for place, word in problem.also)]
    message = "\n".join([*lines, *(f"help: {line}" for line in problem.help)])
    place = problem.place
    if place is None or place.file.startswith("--"):
        return annotation(message, file=_below(str(file)), title=problem.code)
    return annotation(message, file=_below(place.file), line=place.line, col=place.column, title=problem.code)


def _below(file: str) -> str:
    """A file as the repository knows it: relative to where the command runs, if it lies below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
