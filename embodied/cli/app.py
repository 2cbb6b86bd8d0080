"""Application of the command line: every verb and its group."""

from __future__ import annotations

import typer

from embodied import __version__
from embodied.cli.common.output import CONTEXT_SETTINGS
from embodied.cli.verbs.calibrate import calibrate
from embodied.cli.verbs.calibrate_arm import arm
from embodied.cli.verbs.check import check
from embodied.cli.verbs.doctor import doctor
from embodied.cli.verbs.driver import driver
from embodied.cli.verbs.estop import estop
from embodied.cli.verbs.explain import explain
from embodied.cli.verbs.graph import graph
from embodied.cli.verbs.keys import keys
from embodied.cli.verbs.logs import logs
from embodied.cli.verbs.messages import messages
from embodied.cli.verbs.new import new
from embodied.cli.verbs.node import node
from embodied.cli.verbs.nodes import nodes
from embodied.cli.verbs.param import param
from embodied.cli.verbs.ps import ps
from embodied.cli.verbs.run import run
from embodied.cli.verbs.schema import schema
from embodied.cli.verbs.stop import stop
from embodied.cli.verbs.sweep import sweep
from embodied.cli.verbs.test import test
from embodied.cli.verbs.top import top
from embodied.cli.verbs.topic import topic
from embodied.cli.verbs.topic_echo import echo
from embodied.cli.verbs.topic_rates import bw, delay, hz
from embodied.cli.verbs.virtual import virtual

RUNNING_PANEL = "Graphs that run"
"""Title of a group of verbs in the help."""

app = typer.Typer(
    name="embodied",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT_SETTINGS,
    help="One graph of nodes for robots and for a simulator. Exit codes: 0 pass, 1 fail, 2 bad usage or launch file, "
    "3 infrastructure, 130 interrupted.",
)
for verb in (run, check, graph, nodes, messages, test, sweep, doctor, explain, schema, new, virtual):
    app.command()(verb)
for verb in (ps, top, logs, stop, estop):
    app.command(rich_help_panel=RUNNING_PANEL)(verb)
calibrate.command()(arm)
for verb in (echo, hz, bw, delay):
    topic.command()(verb)
for name, verbs in (("topic", topic), ("node", node), ("param", param)):
    app.add_typer(verbs, name=name, rich_help_panel=RUNNING_PANEL)
app.add_typer(driver, name="driver")
app.add_typer(keys, name="keys")
app.add_typer(calibrate, name="calibrate")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"embodied {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="print the version"),
) -> None:
    """Handle the options of the command line itself, before any verb."""
