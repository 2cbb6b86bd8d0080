"""`embodied check`: prove a launch file before anything starts."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape

from embodied.cli.output import (
    FileArgument,
    JsonOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    SwapOption,
    choose_profile,
    ending,
    err,
    out,
    overrides,
    print_json,
)
from embodied.errors import LaunchError, Problem
from embodied.launch import Launch, load


def check(
    file: FileArgument,
    *,
    sim: SimOption = False,
    profile: ProfileOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove every profile of a launch file: wires, types, rates, models, guards."""
    with ending(as_json):
        chosen = choose_profile(sim, profile)
        launch = load(file, overrides(site, sets, swaps))
        reports = [_prove(launch, name) for name in ([chosen] if chosen else [None, *launch.profiles])]
        problems = _distinct(reports)
        ran = [report for report in reports if report["status"] != "no driver"]
        if not problems and not ran:
            launch.graph(chosen)
        code = 2 if problems else 0
        if as_json:
            plain = [_without_objects(report) for report in reports]
            print_json({"file": str(file), "ok": not problems, "profiles": plain, "exit_code": code})
        else:
            for report in reports:
                _show(report)
            for problem in problems:
                err.print(str(problem), markup=False)
    raise typer.Exit(code)


def _prove(launch: Launch, profile: str | None) -> dict[str, Any]:
    name = "(hardware)" if profile is None else profile
    try:
        missing = launch.missing(profile)
        # A file may leave its drivers to its profiles: then it is not wrong, it only cannot run without one.
        if missing and profile is None and launch.profiles:
            return {"profile": name, "status": "no driver", "missing": list(missing), "problems": []}
        plan = launch.graph(profile).check()
    except LaunchError as error:
        return {"profile": name, "status": "wrong", "problems": list(error.problems)}
    return {
        "profile": name,
        "status": "ok",
        "nodes": len(plan.nodes),
        "clock": plan.graph.clock,
        "reactions": [
            {"actuator": r.actuator, "node": r.node, "within_ns": r.within, "text": str(r)} for r in plan.reactions
        ],
        "problems": [],
    }


def _distinct(reports: list[dict[str, Any]]) -> list[Problem]:
    """Every problem once, though several profiles may share it."""
    found: dict[str, Problem] = {}
    for report in reports:
        for problem in report["problems"]:
            found.setdefault(str(problem), problem)
    return list(found.values())


def _without_objects(report: dict[str, Any]) -> dict[str, Any]:
    return {**report, "problems": [problem.as_dict() for problem in report["problems"]]}


def _show(report: dict[str, Any]) -> None:
    name = f"[bold]{escape(report['profile'])}[/]"
    if report["status"] == "no driver":
        out.print(f"{name}: no driver yet for {', '.join(report['missing'])}; run a profile")
    elif report["status"] == "wrong":
        out.print(f"{name}: [red]{len(report['problems'])} problem(s)[/]")
    else:
        later = "" if report["clock"] == "lockstep" else "; its clock has no runner yet, 'clock: lockstep' has"
        out.print(f"{name}: [green]ok[/], {report['nodes']} nodes{later}")
        for reaction in report["reactions"]:
            out.print(f"  {reaction['text']}")
