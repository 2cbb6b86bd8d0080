"""Text of `embodied check` for one profile: a line for the profile and one for each actuator, within the width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape

from embodied.cli.common.output import out
from embodied.cli.common.tables import fitting
from embodied.clock import show

WIDTH = 80
"""Width of lines where standard output is no terminal [characters]."""


def profile_lines(profile: dict[str, Any], *, margin: str, reactions: bool) -> Iterator[str]:
    """Format the outcome of `embodied check` for a profile as lines of markup.

    Args:
        profile: outcome as plain data.
        margin: spaces before each line.
        reactions: whether every reaction has a line, or each actuator.
    """
    width = out.width if out.is_terminal else WIDTH
    missing = profile.get("missing", ())
    no_driver = f"no driver for {', '.join(missing)}" if missing else ""
    name = f"{margin}[bold]{escape(profile['profile'])}[/]: "
    if profile["status"] == "wrong":
        count = len(profile["problems"])
        yield f"{name}[red]{count} problem{'s' if count > 1 else ''}[/]" + (f"; {no_driver}" if missing else "")
        return
    if profile["status"] == "part":
        yield f"{name}[green]ok[/], a part of {escape(profile['whole'])}, with which it is checked"
        return
    if profile["status"] == "no driver":
        yield f"{name}[green]ok[/], but {no_driver}"
        return
    yield f"{name}[green]ok[/], {profile['nodes']} nodes"
    margin += "  "
    for machine, nodes in profile["machines"].items():
        yield from _wrapped(f"on {machine}: {', '.join(nodes) or 'nothing'}", margin, width)
    if reactions:
        yield from (margin + escape(reaction["text"]) for reaction in profile["reactions"])
    else:
        for actuator in dict.fromkeys(reaction["actuator"] for reaction in profile["reactions"]):
            own = [reaction for reaction in profile["reactions"] if reaction["actuator"] == actuator]
            yield margin + escape(actuator_line(actuator, own, width - len(margin)))
    for fault in profile["faults"]:
        yield from _wrapped(f"fault: {fault}", margin, width)


def actuator_line(actuator: str, reactions: Sequence[dict[str, Any]], width: int) -> str:
    """Format for `embodied check` how an actuator reacts to the loss of nodes: the slowest reaction, nodes not needed.

    Args:
        actuator: name of the actuator.
        reactions: its reactions, each to the loss of one node.
        width: maximum length of the line [characters].
    """
    held = [reaction for reaction in reactions if reaction["within_ns"] is not None]
    unneeded = [reaction["node"] for reaction in reactions if reaction["within_ns"] is None]
    parts = []
    if held:
        slowest = max(held, key=lambda reaction: reaction["within_ns"])
        parts.append(f"holds within {show(slowest['within_ns'])} without {slowest['node']}")
    if unneeded:
        begin = f"{actuator} {'; '.join([*parts, 'goes on without '])}"
        names, _ = fitting(unneeded, width - len(begin))
        parts.append(f"goes on without {names if len(begin + names) <= width else f'{len(unneeded)} nodes'}")
    return f"{actuator} {'; '.join(parts)}"


def _wrapped(text: str, margin: str, width: int) -> list[str]:
    return [escape(line) for line in textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin + "  ")]
