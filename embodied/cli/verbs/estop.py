"""`embodied estop`: stop every guard at once, or release the stop.

It imports nothing but what a stop needs, so that it is quick, and no package that is broken or missing holds it up.
"""

from __future__ import annotations

import getpass
import os
import signal
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.errors import LaunchError, Problem, nearest
from embodied.live.guard_client import GuardCall, RunAnswer, guard_addresses
from embodied.live.run_directory import running
from embodied.live.run_places import looked_at

BLOCKED_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
"""Signals that wait until the stop has been sent."""


def _runs(incomplete: str) -> list[tuple[str, str]]:
    # Completion alone needs more.
    from embodied.cli.common.complete_running import runs

    return runs(incomplete)


def estop(
    reason: Annotated[str, typer.Argument(help="reason, for whoever releases the stop", show_default=False)] = "",
    *,
    reset: Annotated[bool, typer.Option("--reset", help="release the stop; motion needs a fresh command")] = False,
    run: Annotated[
        str | None, typer.Option("--run", help="name of the run, or the beginning of it", autocompletion=_runs)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object to standard output")] = False,
) -> None:
    """Stop every guard of every run until it is released, and print the state that each guard reports.

    Exit code 0 only if every guard has stopped, or with --reset has been released. It is no substitute for the
    emergency stop of the machine.
    """
    with exit_on_error(as_json):
        person = _person()
        names = None if run is None else _matching(run, reset)
        # Ctrl-C after the command must not cancel the stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
        try:
            call = GuardCall(reset, person if reset else reason or f"embodied estop by {person}", names)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED_SIGNALS)
        try:
            call.read()
        except KeyboardInterrupt:
            err.print(f"sent to {len(call.answers)} runs; their answers have not been read", markup=False)
            raise
        reports = {name: _as_data(name, answer) for name, answer in sorted(call.answers.items())}
        done = any(answer.guards for answer in call.answers.values())
        done = done and all(answer.done for answer in call.answers.values())
        if as_json:
            print_json({"done": done, "runs": reports, **({} if reports else {"looked": looked_at()})})
        elif not reports:
            err.print(f"nothing is running\n{looked_at()}", markup=False)
        else:
            for name, answer in reports.items():
                _print(name, answer)
    raise typer.Exit(0 if done else 3)


def _person() -> str:
    """Return who sends the command; a user id without a name, as in a container, does not hold up a stop."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _matching(run: str, reset: bool) -> list[str]:
    """Return the runs that a name or the beginning of one means; a stop takes all of them, a reset exactly one.

    Raises:
        LaunchError: there is none, or there are several to be released.
    """
    there = sorted({*guard_addresses(), *(folder.name for folder in running())})
    found = [run] if run in there else [name for name in there if name.startswith(run)]
    if not found:
        raise LaunchError([Problem("E005", f"there is no run '{run}'", help=(*nearest(run, there), looked_at()))])
    if reset and len(found) > 1:
        raise LaunchError([Problem("E005", "several graphs are running", help=(f"say which: {', '.join(found)}",))])
    return found


def _as_data(name: str, answer: RunAnswer) -> dict[str, Any]:
    state = "refused" if answer.refusals else "unknown"
    unknown = {"state": state, "why": answer.refusals or ["it does not answer"], "done": False}
    guards = {guard: answer.guards.get(guard, unknown) for guard in sorted(answer.expected or ())}
    silent = answer.launcher is False and answer.directory is not None
    launcher = f"'{name}' does not answer: {answer.directory.trouble()}" if silent and answer.directory else ""
    trouble = ""
    if answer.expected is None:
        trouble = launcher or f"'{name}' does not answer"
    return {"guards": guards, "trouble": trouble, "launcher": launcher}


def _print(run: str, answer: dict[str, Any]) -> None:
    if answer["trouble"]:
        out.print(f"[bold red]unknown[/]  {escape(answer['trouble'])}")
    elif not answer["guards"]:
        out.print(f"[dim]none[/]  {escape(run)} has no guard, and so no driver")
    for name, guard in answer["guards"].items():
        colour = "green" if guard["done"] else "red"
        why = f": {'; '.join(guard['why'])}" if guard["why"] else ""
        out.print(f"[bold {colour}]{guard['state']}[/]  {escape(f'{name} of {run}{why}')}")
    if answer["launcher"] and answer["launcher"] != answer["trouble"]:
        out.print(f"[dim]launcher[/]  {escape(answer['launcher'])}")
