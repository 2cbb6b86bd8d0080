"""`embodied graph`: the graph as a Mermaid diagram."""

from __future__ import annotations

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
    overrides,
    print_json,
)
from embodied.launch import load
from embodied.plan import Plan


def graph(
    file: FileArgument,
    *,
    sim: SimOption = False,
    profile: ProfileOption = None,
    world: WorldOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the graph of a launch file as Mermaid, which code hosts and editors draw."""
    with ending(as_json):
        plan = load(file, overrides(site, sets, swaps, world)).graph(choose_profile(sim, profile)).check()
        if as_json:
            print_json(plan.graph.describe())
        else:
            typer.echo(mermaid(plan))


def mermaid(plan: Plan) -> str:
    """A plan as Mermaid: one box a node with its rate, one arrow a wire with its type; triggers are thick."""
    lines = ["flowchart LR"]
    for name, node in plan.nodes.items():
        when = f"{float(node.rate):g} Hz" if node.rate is not None else "once" if node.once else "on trigger"
        lines.append(f'  {_id(name)}["{name}<br/>{type(node.node).__name__}<br/>{when}"]')
    for name, node in plan.nodes.items():
        for port, source in node.sources.items():
            arrow = "==>" if port == node.trigger else "-->"
            message = node.ports.inputs[port].message.__name__
            lines.append(f'  {_id(source.node)} {arrow}|"{source.port}: {message}"| {_id(name)}')
    return "\n".join(lines)


def _id(name: str) -> str:
    # A bare `end` or `graph` would be read as a keyword of Mermaid.
    return "n_" + name.replace("/", "__")
