"""`embodied estop`: stop every guard at once, or release the stop."""

from __future__ import annotations

import getpass
import signal
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.launch_options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.cli.common.running import RunOption, read_each, select_runs, send_each

BLOCKED_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
"""Signals that wait until the stop has been sent."""


def estop(
    reason: Annotated[str, typer.Argument(help="reason, for whoever releases the stop", show_default=False)] = "",
    *,
    reset: Annotated[bool, typer.Option("--reset", help="release the stop; motion needs a fresh command")] = False,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop every guard of every run until it is released, and print the state that each guard reports.

    Exit code 0 only if every guard has stopped, or with --reset has been released. It is no substitute for the
    emergency stop of the machine.
    """
    with exit_on_error(as_json):
        if reset:
            verb, about = "reset", {"by": getpass.getuser()}
        else:
            verb, about = "estop", {"reason": reason or f"embodied estop by {getpass.getuser()}"}
        # Ctrl-C after the command must not cancel the stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
        try:
            sent = send_each(select_runs(run), verb, **about)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED_SIGNALS)
        try:
            reports = {name: _as_json(answer) for name, answer in read_each(sent).items()}
        except KeyboardInterrupt:
            err.print(f"sent to {len(sent)} runs; their answers have not been read", markup=False)
            raise
        guards = [guard for answer in reports.values() for guard in answer["guards"].values()]
        done = bool(guards) and all(guard["done"] for guard in guards)
        done = done and not any(answer["trouble"] for answer in reports.values())
        if as_json:
            print_json({"done": done, "runs": reports})
        elif not reports:
            err.print("nothing is running")
        else:
            for name, answer in reports.items():
                _print(name, answer)
    raise typer.Exit(0 if done else 3)


def _as_json(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Exception):
        return {"guards": {}, "trouble": str(answer)}
    return {"guards": answer, "trouble": ""}


def _print(run: str, answer: dict[str, Any]) -> None:
    if answer["trouble"]:
        out.print(f"[bold red]unknown[/]  {escape(answer['trouble'])}")
    elif not answer["guards"]:
        out.print(f"[dim]none[/]  {escape(run)} has no guard, and so no driver")
    for name, guard in answer["guards"].items():
        colour = "green" if guard["done"] else "red"
        why = f": {'; '.join(guard['why'])}" if guard["why"] else ""
        out.print(f"[bold {colour}]{guard['state']}[/]  {escape(f'{name} of {run}{why}')}")
