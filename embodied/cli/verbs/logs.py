"""`embodied logs`: output of the nodes of a run, during the run and after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json, usage
from embodied.cli.common.run_folders import run_folder
from embodied.cli.common.running import RunOption, connected, look_up
from embodied.live.logs import read
from embodied.live.run_directory import running

Line = tuple[str, str]
"""Node, or process where a library printed outside any node; and the text."""


def logs(
    node: Annotated[str | None, typer.Argument(help="only this node", autocompletion=complete.nodes)] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="follow until the run ends, or Ctrl-C")] = False,
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="number of the last lines")] = 100,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the output of nodes, each line with its node; where nothing runs, that of the last run in `runs/`."""
    with exit_on_error(as_json):
        past = _past(run)
        if past is not None and follow:
            raise usage(f"{past.parent} has ended: nothing follows", "leave out --follow")
        for name, text in (
            _from_file(past, node, count) if past is not None else _from_run(run, node or "", count, follow)
        ):
            if as_json:
                print_json({"node": name, "text": text}, line=True)
            else:
                out.print(f"{name}: {text}", markup=False)


def _past(run: str | None) -> Path | None:
    """Return the log folder of the run in `runs/` that is selected, by default the last; None if a running one is."""
    if any(run is None or folder.name.startswith(run) for folder in running()):
        return None
    if run is not None:
        kept = run_folder(Path(run)) / "logs"
        return kept if kept.is_dir() else None
    past = max(Path("runs").glob("*/logs"), key=lambda folder: folder.stat().st_mtime, default=None)
    last = max((folder for folder in Path("runs").glob("*/") if folder.name[:1].isdigit()), default=None)
    if past is not None and last is not None and last.name > past.parent.name:
        err.print(f"{last} kept no logs, as its nodes printed to its terminal", markup=False)
    return past


def _from_file(folder: Path, node: str | None, count: int) -> list[Line]:
    lines = read(folder)
    if node is not None:
        look_up("node", node, dict.fromkeys(name for name, _ in lines))
    selected = [line for line in lines if node in (None, line[0])]
    err.print(f"{folder.parent} has ended; {len(lines)} lines are kept in {folder}", markup=False)
    return selected[max(0, len(selected) - count) :]


def _from_run(run: str | None, node: str, count: int, follow: bool) -> Iterator[Line]:
    with connected(run) as client:
        if follow:
            for (process, name, text), lost in client.lines(node, count):
                if lost:
                    err.print(f"{lost} lines were lost", markup=False)
                yield name or process, text
        else:
            for process, name, text in client.ask("logs", node=node, count=count, follow=False):
                yield name or process, text
