"""`embodied driver`: which devices there are, which of them are here, and whether one keeps the contract."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.output import (
    FileArgument,
    JsonOption,
    ProfileOption,
    SetOption,
    SiteOption,
    ending,
    err,
    nothing_begun,
    out,
    overrides,
    print_json,
    usage,
)
from embodied.cli.common.running import table
from embodied.devices.registry import Devices, Found, device, devices, resolve
from embodied.errors import FOREIGN, EmbodiedError, LaunchError, Problem, nearest, raised_at, told
from embodied.graph.plan import opens_world
from embodied.launch import load
from embodied.launch.class_lookup import enter, project_root
from embodied.node.node import Driver

MARKS = {"kept": "[green]kept[/]   ", "broken": "[red]BROKEN[/] ", "skipped": "skipped"}

driver = typer.Typer(no_args_is_help=True, help="Devices: which there are, which are here, whether one can be trusted.")


@driver.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the devices that there are drivers for, of embodied and of this project."""
    with ending(as_json):
        enter(project_root(Path("launch.yaml")))
        found = devices()
        if as_json:
            broken = [problem.as_dict() for problem in found.broken.values()]
            print_json({"devices": [_described(name) for name in found.known], "broken": broken})
            return
        for name, known in found.known.items():
            missing = "" if known.installed else f"; needs pip install 'embodied-robotics[{known.extra}]'"
            out.print(f"{name}: {known.title}", markup=False)
            out.print(f"  {', '.join(known.models)}{missing}", markup=False, soft_wrap=True)
            out.print(f"  driver {known.driver}, virtual {known.virtual}", markup=False, soft_wrap=True)
        for problem in found.broken.values():
            err.print(str(problem), markup=False, soft_wrap=True)


def _described(name: str) -> dict[str, Any]:
    known = device(name)
    return {
        "name": name,
        "title": known.title,
        "models": list(known.models),
        "driver": known.driver,
        "virtual": known.virtual,
        "extra": known.extra,
        "installed": known.installed,
        "folder": str(known.folder),
    }


@driver.command()
def scan(
    name: Annotated[str | None, typer.Argument(help="only this device", show_default=False)] = None,
    *,
    host: Annotated[list[str] | None, typer.Option(help="also ask this host; may be given several times")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for devices: on serial lines, among cameras, on this machine, and at the hosts that are named."""
    with ending(as_json):
        with nothing_begun():
            enter(project_root(Path("launch.yaml")))
            registered = Devices({name: device(name)}) if name else devices()
        found: list[tuple[str, Found]] = []
        skipped = {name: f"{problem.message} ({problem.where})" for name, problem in registered.broken.items()}
        for known in registered.known.values():
            if not known.scan:
                skipped[known.name] = "it cannot be looked for"
                continue
            try:
                found += [(known.name, entry) for entry in resolve(known.scan)(host or [])]
            except EmbodiedError as error:
                skipped[known.name] = told(error)
            except FOREIGN as error:
                skipped[known.name] = f"{told(error)} ({raised_at(error)})"
        if as_json:
            entries = [
                {"device": kind, "address": entry.address, "what": entry.what, "settings": entry.settings}
                for kind, entry in found
            ]
            print_json({"found": entries, "skipped": skipped})
            return
        rows = table("device", "address", "what", "settings")
        for kind, entry in found:
            settings = ", ".join(f"{key}: {value}" for key, value in entry.settings.items())
            rows.add_row(kind, entry.address, entry.what, settings)
        out.print(rows if found else "none found")
        for kind, reason in skipped.items():
            err.print(f"{kind}: {reason}", markup=False)


@driver.command()
def test(
    file: FileArgument,
    *,
    node: Annotated[str, typer.Option("--node", help="the driver to hold to the contract")],
    profile: ProfileOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="ask nobody: what needs a person is skipped; for virtual devices alone")
    ] = False,
    only: Annotated[str, typer.Option("-k", help="only the truths whose name holds this")] = "",
    site: SiteOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a driver, and the device that it meets, to the contract. A real arm moves a little: a person is asked."""
    with ending(as_json):
        with nothing_begun():
            chosen = driver_of(file, node, profile, site, sets)
        _permit(chosen, yes)
        # What a test needs is slow to import, and no other verb needs it.
        from embodied.testing.hold import hold

        held = []
        for truth in hold(chosen, _nobody if yes else _person, only):
            held.append(truth)
            if not as_json:
                out.print(f"{MARKS[truth.status]} {escape(truth.name)}")
                if truth.why:
                    out.print(f"        {truth.why}", markup=False)
        counts = {status: sum(truth.status == status for truth in held) for status in MARKS}
        if as_json:
            print_json({"node": node, "truths": [asdict(truth) for truth in held], "passed": not counts["broken"]})
        else:
            out.print(", ".join(f"{count} {status}" for status, count in counts.items()))
    raise typer.Exit(1 if counts["broken"] else 0)


def driver_of(file: Path, name: str, profile: str | None, site: Path | None, sets: list[str] | None) -> Driver:
    """The driver that a node of a launch file is, as it is set there, closed.

    Raises:
        LaunchError: there is no such node, or it drives no device.
    """
    graph = load(file, overrides(site, sets, None)).graph(profile)
    if name not in graph.entries:
        raise LaunchError([Problem("E005", f"there is no node '{name}'", help=nearest(name, graph.entries))])
    entry = graph.entries[name]
    node = entry.node
    if not isinstance(node, Driver):
        raise usage(f"'{name}' is no driver", "name a node that drives a device")
    if opens_world(node):
        raise usage(
            f"'{name}' is a body of the simulated world, and has no wire", "choose a profile with a real driver"
        )
    if entry.rate is not None:
        node.rate = entry.rate
    return node


def _permit(node: Driver, yes: bool) -> None:
    """Find out what is there, without arming it; a real device is moved with a person's word alone."""
    found: Any = node
    found.open()
    try:
        identity = found.identify()
    finally:
        found.close()
    err.print(f"met {identity}", markup=False)
    if identity.virtual:
        return
    if yes or not sys.stdin.isatty():
        raise usage(
            "this device is real: a person has to be there and to say so", "run it in a terminal, without --yes"
        )
    question = "It will move. Is everybody out of its reach, and its emergency stop in somebody's hand?"
    if not typer.confirm(question, err=True):
        raise usage("nothing was moved", "run it again when it is safe")


def _nobody(_: str) -> bool:
    return False


def _person(what: str) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"Please {what}. Done?", err=True, default=True)
