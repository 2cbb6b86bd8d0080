"""`embodied graph`: the graph as a picture, or as a Mermaid diagram."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.output import (
    FileArgument,
    JsonOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    SwapOption,
    WorldOption,
    choose_profile,
    ending,
    out,
    overrides,
    print_json,
)
from embodied.diagram.mermaid import mermaid
from embodied.diagram.svg import svg
from embodied.launch import load


class Drawing(StrEnum):
    """What a graph is drawn as."""

    MERMAID = "mermaid"
    SVG = "svg"


def graph(
    file: FileArgument,
    *,
    sim: SimOption = False,
    profile: ProfileOption = None,
    world: WorldOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    format: Annotated[Drawing | None, typer.Option(help="mermaid, unless --output names an .svg")] = None,  # noqa: A002
    output: Annotated[Path | None, typer.Option(help="write it here instead of printing it")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the graph of a launch file, as SVG or as Mermaid, which code hosts and editors draw."""
    with ending(as_json):
        chosen = choose_profile(sim, profile)
        plan = load(file, overrides(site, sets, swaps, world)).graph(chosen).check()
        if format is None:
            format = Drawing.SVG if output is not None and output.suffix == ".svg" else Drawing.MERMAID  # noqa: A001
        title = f"{file.stem} · {chosen}" if chosen else file.stem
        text = svg(plan, title) if format is Drawing.SVG else mermaid(plan) + "\n"
        if output is not None:
            output.write_text(text, encoding="utf-8")
        if as_json:
            print_json({**plan.graph.describe(), "output": None if output is None else str(output)})
        elif output is None:
            typer.echo(text, nl=False)
        else:
            out.print(f"{output}: {len(plan.nodes)} nodes", markup=False)
