"""`embodied virtual`: the far side of a device's wire, with a simulated body behind it, for anyone's client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.complete import Choices, quiet
from embodied.cli.common.output import JsonOption, SetOption, ending, new_run_folder, nothing_begun
from embodied.cli.verbs.run_live import Asked, run_live
from embodied.devices.registry import device, devices
from embodied.launch import Overrides, load
from embodied.launch.class_lookup import enter, project_root


@quiet
def _names(_: str) -> Choices:
    found = devices()
    broken = [(name, f"{problem.message} ({problem.where})") for name, problem in found.broken.items()]
    return [*((known.name, known.title) for known in found.known.values()), *broken]


def virtual(
    name: Annotated[
        str,
        typer.Argument(help="a device, as 'embodied driver list' has it", show_default=False, autocompletion=_names),
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="of the world that the body is in")] = 0,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a virtual device until Ctrl-C; it says where it is reached."""
    with ending(as_json):
        with nothing_begun():
            enter(project_root(Path("launch.yaml")))
            found = device(name)
            file = found.folder / found.bench
            graph = load(file, Overrides(sets=tuple(sets or ()))).graph("virtual")
        folder = new_run_folder(f"virtual-{name}")
        raise typer.Exit(run_live(graph, Asked(file, "virtual", seed, judged=False), folder, as_json))
