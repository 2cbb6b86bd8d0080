"""Application of the command line: its verbs and groups, each imported when the command line names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import typer

from embodied import __version__
from embodied.cli.common.output import CONTEXT_SETTINGS

RUNNING_PANEL = "Graphs that run"
"""Title of a group of verbs in the help."""

VERBS = ("run", "check", "graph", "nodes", "messages", "test", "sweep", "doctor", "explain", "schema", "new", "virtual")
"""Verbs about launch files and this machine; each is the function of its name in the module of its name."""

RUNNING_VERBS = ("ps", "top", "logs", "stop", "estop")
"""Verbs about graphs that run."""

GROUPS: Mapping[str, Mapping[str, str]] = {
    "topic": {"echo": "topic_echo", "hz": "topic_rates", "bw": "topic_rates", "delay": "topic_rates"},
    "node": {},
    "param": {},
    "driver": {},
    "keys": {},
    "calibrate": {"arm": "calibrate_arm"},
}
"""Groups of verbs; each is the application of its name in the module of its name, with verbs from other modules."""

RUNNING_GROUPS = ("topic", "node", "param")
"""Groups about graphs that run."""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """Return the application with the verb that the words name; with every verb if they begin with none.

    One verb alone starts sooner, and no package that another needs can hold up a stop.
    """
    wanted = [name for name in (*VERBS, *RUNNING_VERBS, *GROUPS) if [name] == list(words[:1])]
    if list(words) != ["--version"]:
        wanted = wanted or [*VERBS, *RUNNING_VERBS, *GROUPS]
    app = typer.Typer(
        name="embodied",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT_SETTINGS,
        help="One graph of nodes for robots and for a simulator. Exit codes: 0 pass, 1 fail, 2 bad usage or launch "
        "file, 3 infrastructure, 130 interrupted.",
    )
    app.callback()(root)
    for name in wanted:
        if name in GROUPS:
            app.add_typer(_group(name), name=name, rich_help_panel=_panel(name in RUNNING_GROUPS))
        else:
            app.command(rich_help_panel=_panel(name in RUNNING_VERBS))(_verb(name, name))
    return app


def _panel(running: bool) -> Any:
    return RUNNING_PANEL if running else typer.models.Default(None)


def _verb(module: str, name: str) -> Callable[..., Any]:
    verb: Callable[..., Any] = getattr(import_module(f"embodied.cli.verbs.{module}"), name)
    return verb


@cache
def _group(name: str) -> typer.Typer:
    group: typer.Typer = getattr(import_module(f"embodied.cli.verbs.{name}"), name)
    for verb, module in GROUPS[name].items():
        group.command()(_verb(module, verb))
    return group


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"embodied {__version__}")
        raise typer.Exit


def root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="print the version"),
) -> None:
    """Handle the options of the command line itself, before any verb."""
