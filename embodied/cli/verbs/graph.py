"""`embodied graph`: diagram of a launch file or of a running graph, as SVG or Mermaid."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.cli.common.complete import files
from embodied.cli.common.launch_options import LaunchOptions, with_launch_options
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, immediate_interrupt, out, print_json, usage
from embodied.cli.common.running import RunOption, connected
from embodied.diagram.labels import Flow, Flows
from embodied.diagram.mermaid import mermaid
from embodied.diagram.svg import svg
from embodied.graph.plan import Plan
from embodied.live.statistics import EVERY, Sample, measure
from embodied.untrusted.text import written_out


class Drawing(StrEnum):
    """Output format of `embodied graph`: SVG or Mermaid."""

    MERMAID = "mermaid"
    SVG = "svg"


@with_launch_options
def graph(
    file: Annotated[
        Path | None,
        typer.Argument(help="the launch file; none with --live", show_default=False, autocompletion=files),
    ] = None,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="draw a run, with rate, latency and losses of its wires")
    ] = False,
    run: RunOption = None,
    options: LaunchOptions,
    drawing: Annotated[Drawing | None, typer.Option("--format", help="mermaid, unless --output names an .svg")] = None,
    output: Annotated[Path | None, typer.Option(help="file to write instead of standard output")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the graph of a launch file or of a run, as SVG or as Mermaid, which code hosts and editors draw."""
    with exit_on_error(as_json):
        flows: Flows = {}
        if live:
            if file is not None or options.given:
                raise usage("--live draws a graph as it runs", "leave out the file and its options; --run says which")
            plan, title, flows = _running(run)
        elif file is None or run is not None:
            raise usage("which launch file?", "write embodied graph FILE, or embodied graph --live")
        else:
            profile = options.chosen_profile()
            with immediate_interrupt():
                plan = options.load(file).graph(profile).check()
            title = f"{file.stem} · {profile}" if profile else file.stem
        if drawing is None:
            drawing = Drawing.SVG if output is not None and output.suffix == ".svg" else Drawing.MERMAID
        text = svg(plan, title, flows) if drawing is Drawing.SVG else mermaid(plan, flows) + "\n"
        # Names of files and nodes stand in it, which need be neither UTF-8 nor free of control characters.
        text = written_out(text)
        if output is not None:
            output.write_text(text, encoding="utf-8")
        if as_json:
            wires = [{"node": node, "input": port, **asdict(flow)} for (node, port), flow in flows.items()]
            about = {"wires": wires} if live else {}
            print_json({**plan.graph.describe(), **about, "output": None if output is None else str(output)})
        elif output is None:
            typer.echo(text, nl=False)
        else:
            out.print(f"{output}: {len(plan.nodes)} nodes", markup=False)


def _running(run: str | None) -> tuple[Plan, str, Flows]:
    """Fetch the graph of a run, its name, and rate, latency and losses of its wires."""
    with connected(run) as client:
        plan = client.graph().check()
        before = Sample.take(client)
        client.gone(EVERY)
        rates = measure(before, Sample.take(client))
        home = {node: process for process, about in rates["processes"].items() for node in about["nodes"]}
        # A lockstep profile that runs with --live is on the steady clock.
        plan.graph.clock = "steady"
        groups = (tuple(node for node in about["nodes"] if node in plan.nodes) for about in rates["processes"].values())
        plan.graph.processes = tuple(group for group in groups if len(group) > 1)
        links = {(link["from"], link["to"]): link for link in rates["links"]}
        flows = {
            (name, port): _flow(rates["topics"].get(source.topic), links.get((source.node, home.get(name, ""))))
            for name, node in plan.nodes.items()
            for port, source in node.sources.items()
        }
        return plan, client.directory.name, flows


def _flow(topic: dict[str, Any] | None, link: dict[str, Any] | None) -> Flow:
    hertz = None if topic is None else topic["hz"]
    if link is None:
        return Flow(hertz)
    return Flow(hertz, link["p50_s"], link["p99_s"], link["dropped"] + link["skipped"])
