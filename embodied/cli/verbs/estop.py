"""`embodied estop`: every guard stops, now, and stays stopped until it is released."""

from __future__ import annotations

import getpass
import signal
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.output import JsonOption, ending, err, out, print_json
from embodied.cli.common.running import RunOption, chosen, read_each, send_each

EVERYTHING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def estop(
    reason: Annotated[str, typer.Argument(help="for the person who has to come", show_default=False)] = "",
    *,
    reset: Annotated[bool, typer.Option("--reset", help="release the stop; motion needs a fresh command")] = False,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop every guard of every run, and say what each guard reports then. It acts before it is interrupted.

    Exit code 0 only if every guard has stopped, or with --reset has been released. It is no substitute for the
    emergency stop of the machine.
    """
    with ending(as_json):
        if reset:
            verb, about = "reset", {"by": getpass.getuser()}
        else:
            verb, about = "estop", {"reason": reason or f"embodied estop by {getpass.getuser()}"}
        # Whoever presses Ctrl-C next has still stopped the robot.
        signal.pthread_sigmask(signal.SIG_BLOCK, EVERYTHING)
        try:
            sent = send_each(chosen(run), verb, **about)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, EVERYTHING)
        try:
            found = {name: _plain(answer) for name, answer in read_each(sent).items()}
        except KeyboardInterrupt:
            err.print(f"sent to {len(sent)} runs; what came of it has not been read", markup=False)
            raise
        guards = [guard for answer in found.values() for guard in answer["guards"].values()]
        done = bool(guards) and all(guard["done"] for guard in guards)
        done = done and not any(answer["trouble"] for answer in found.values())
        if as_json:
            print_json({"done": done, "runs": found})
        elif not found:
            err.print("nothing is running")
        else:
            for name, answer in found.items():
                _show(name, answer)
    raise typer.Exit(0 if done else 3)


def _plain(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Exception):
        return {"guards": {}, "trouble": str(answer)}
    return {"guards": answer, "trouble": ""}


def _show(run: str, answer: dict[str, Any]) -> None:
    if answer["trouble"]:
        out.print(f"[bold red]unknown[/]  {escape(answer['trouble'])}")
    elif not answer["guards"]:
        out.print(f"[dim]none[/]  {escape(run)} has no guard, and so no driver")
    for name, guard in answer["guards"].items():
        colour = "green" if guard["done"] else "red"
        why = f": {'; '.join(guard['why'])}" if guard["why"] else ""
        out.print(f"[bold {colour}]{guard['state']}[/]  {escape(f'{name} of {run}{why}')}")
