"""Options that many verbs share: JSON output, and a time limit."""

from __future__ import annotations

from typing import Annotated

import typer

from embodied.cli.common.output import usage
from embodied.clock import Time, duration

JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object to standard output")]
ForOption = Annotated[str | None, typer.Option("--for", help="time after which to stop, such as 10s")]


def time_limit(text: str | None, flag: str = "--for") -> Time | None:
    """Parse the launch option --for, or another that takes a length of time.

    Raises:
        LaunchError: it is not a duration above zero.
    """
    if text is None:
        return None
    try:
        limit = duration(text)
    except ValueError as error:
        raise usage(f"{flag}: {error}") from None
    if limit == 0:
        raise usage(f"{flag}: expected a duration above zero", f"write {flag} 10s")
    return Time(limit)
