"""`embodied virtual`: run the virtual device of a driver, for any client that speaks its protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from embodied.cli.common.complete import Choices, safe_completion
from embodied.cli.common.launch_options import SetOption
from embodied.cli.common.live_run import LiveRunOptions, run_live
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, immediate_interrupt
from embodied.cli.common.run_folders import new_run_folder
from embodied.devices.registry import device, devices
from embodied.launch import Overrides, load
from embodied.launch.project import enter_current_folder


@safe_completion
def _names(_: str) -> Choices:
    registered = devices()
    broken = [(name, f"{problem.message} ({problem.where})") for name, problem in registered.broken.items()]
    return [*((known.name, known.title) for known in registered.known.values()), *broken]


def virtual(
    name: Annotated[
        str,
        typer.Argument(help="a device of 'embodied driver list'", show_default=False, autocompletion=_names),
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="seed of the simulated world")] = 0,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a virtual device until Ctrl-C, and print its address."""
    with exit_on_error(as_json):
        with immediate_interrupt():
            enter_current_folder()
            known = device(name)
            file = known.folder / known.bench
            graph = load(file, Overrides(sets=tuple(sets or ()))).graph("virtual")
        folder = new_run_folder(f"virtual-{name}")
        options = LiveRunOptions(file, "virtual", seed, judged=False, name=name)
        raise typer.Exit(run_live(graph, options, folder, as_json))
