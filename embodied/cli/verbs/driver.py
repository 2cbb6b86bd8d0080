"""`embodied driver`: list supported devices, scan for connected ones, test one against the driver contract."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.driver_node import driver_node
from embodied.cli.common.launch_options import FileArgument, LaunchOptions, ProfileOption, SetOption, SiteOption
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, immediate_interrupt, out, print_json, usage
from embodied.cli.common.tables import Column, Table
from embodied.devices.registry import Devices, Found, device, devices, resolve
from embodied.errors import FOREIGN, EmbodiedError, error_text, raised_at
from embodied.launch.project import enter_current_folder
from embodied.node.node import Driver

MARKS = {"kept": "[green]kept[/]   ", "broken": "[red]BROKEN[/] ", "skipped": "skipped"}

driver = typer.Typer(no_args_is_help=True, help="Devices: list, scan, test.")


@driver.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the devices with a driver, of embodied and of this project."""
    with exit_on_error(as_json):
        enter_current_folder()
        registered = devices()
        if as_json:
            broken = [problem.as_dict() for problem in registered.broken.values()]
            print_json({"devices": [_describe(name) for name in registered.known], "broken": broken})
            return
        for name, known in registered.known.items():
            missing = "" if known.installed else f"; needs pip install 'embodied-robotics[{known.extra}]'"
            out.print(f"{name}: {known.title}", markup=False)
            out.print(f"  {', '.join(known.models)}{missing}", markup=False, soft_wrap=True)
            out.print(f"  driver {known.driver}, virtual {known.virtual}", markup=False, soft_wrap=True)
        for problem in registered.broken.values():
            err.print(str(problem), markup=False, soft_wrap=True)


def _describe(name: str) -> dict[str, Any]:
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
    host: Annotated[list[str] | None, typer.Option(help="host to scan; repeatable")] = None,
    as_json: JsonOption = False,
) -> None:
    """Scan for devices: on serial lines, among cameras, on this machine, and at hosts given by --host."""
    with exit_on_error(as_json):
        with immediate_interrupt():
            enter_current_folder()
            registered = Devices({name: device(name)}) if name else devices()
        found: list[tuple[str, Found]] = []
        skipped = {name: f"{problem.message} ({problem.where})" for name, problem in registered.broken.items()}
        for known in registered.known.values():
            if not known.scan:
                skipped[known.name] = "it cannot be scanned for"
                continue
            try:
                found += [(known.name, entry) for entry in resolve(known.scan)(host or [])]
            except EmbodiedError as error:
                skipped[known.name] = error_text(error)
            except FOREIGN as error:
                skipped[known.name] = f"{error_text(error)} ({raised_at(error)})"
        if as_json:
            entries = [
                {"device": kind, "address": entry.address, "what": entry.what, "settings": entry.settings}
                for kind, entry in found
            ]
            print_json({"found": entries, "skipped": skipped})
            return
        rows = Table(Column("device"), Column("address"), Column("what", 1), Column("settings"))
        for kind, entry in found:
            rows.add(kind, entry.address, entry.what, [f"{key}: {value}" for key, value in entry.settings.items()])
        if found:
            rows.print()
        else:
            out.print("none found")
        for kind, reason in skipped.items():
            err.print(f"{kind}: {reason}", markup=False)


@driver.command()
def test(
    file: FileArgument,
    *,
    node: Annotated[str, typer.Option("--node", help="node of the driver")],
    profile: ProfileOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="ask nobody, and skip what needs a person; only for virtual devices")
    ] = False,
    only: Annotated[str, typer.Option("-k", help="only tests whose name contains this")] = "",
    site: SiteOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test a driver and its device against the driver contract. A real arm moves a little, once a person agrees."""
    with exit_on_error(as_json):
        with immediate_interrupt():
            chosen = driver_node(file, node, LaunchOptions(profile=profile, site=site, sets=sets))
        _permit(chosen, yes)
        # Slow to import, and needed by this verb alone.
        from embodied.testing.contract_run import run_contract

        results = []
        for outcome in run_contract(chosen, _skip if yes else _ask, only):
            results.append(outcome)
            if not as_json:
                out.print(f"{MARKS[outcome.status]} {escape(outcome.name)}")
                if outcome.why:
                    out.print(f"        {outcome.why}", markup=False)
        counts = {status: sum(outcome.status == status for outcome in results) for status in MARKS}
        if as_json:
            print_json(
                {"node": node, "truths": [asdict(outcome) for outcome in results], "passed": not counts["broken"]}
            )
        else:
            out.print(", ".join(f"{count} {status}" for status, count in counts.items()))
    raise typer.Exit(1 if counts["broken"] else 0)


def _permit(node: Driver, yes: bool) -> None:
    """Identify the device without arming it, and let a person confirm that a real one may move."""
    device: Any = node
    device.open()
    try:
        identity = device.identify()
    finally:
        device.close()
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


def _skip(_: str) -> bool:
    return False


def _ask(action: str) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"Please {action}. Done?", err=True, default=True)
