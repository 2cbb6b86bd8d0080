"""`embodied logs`: what nodes print, while a run goes on and after it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.output import JsonOption, ending, err, out, print_json, run_folder, usage
from embodied.cli.common.running import RunOption, connected, named
from embodied.live.logs import read
from embodied.live.run_directory import running

Line = tuple[str, str]
"""A node, or the process of what a library printed by itself; and the text."""


def logs(
    node: Annotated[str | None, typer.Argument(help="of this node alone", autocompletion=complete.nodes)] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run ends, or Ctrl-C")] = False,
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="so many of the last lines")] = 100,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what nodes printed, each line with its node; where nothing runs, that of the last run in `runs/`."""
    with ending(as_json):
        past = _past(run)
        if past is not None and follow:
            raise usage(f"{past.parent} has ended: nothing follows", "leave out --follow")
        for name, text in _ended(past, node, count) if past is not None else _going(run, node or "", count, follow):
            if as_json:
                print_json({"node": name, "text": text}, line=True)
            else:
                out.print(f"{name}: {text}", markup=False)


def _past(run: str | None) -> Path | None:
    """The logs of a run that has ended, if such a one is meant: one in `runs/`, by default the last."""
    if any(run is None or folder.name.startswith(run) for folder in running()):
        return None
    if run is not None:
        kept = run_folder(Path(run)) / "logs"
        return kept if kept.is_dir() else None
    return max(Path("runs").glob("*/logs"), key=lambda folder: folder.stat().st_mtime, default=None)


def _ended(folder: Path, node: str | None, count: int) -> list[Line]:
    lines = read(folder)
    if node is not None:
        named("node", node, dict.fromkeys(name for name, _ in lines))
    found = [line for line in lines if node in (None, line[0])]
    err.print(f"{folder.parent} has ended; {len(lines)} lines are kept in {folder}", markup=False)
    return found[max(0, len(found) - count) :]


def _going(run: str | None, node: str, count: int, follow: bool) -> Iterator[Line]:
    with connected(run) as client:
        if follow:
            for (process, name, text), lost in client.lines(node, count):
                if lost:
                    err.print(f"{lost} lines were not read in time", markup=False)
                yield name or process, text
        else:
            for process, name, text in client.ask("logs", node=node, count=count, follow=False):
                yield name or process, text
