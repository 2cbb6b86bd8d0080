"""`embodied check`: prove launch files before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.complete import files
from embodied.cli.common.launch_options import (
    Format,
    FormatOption,
    JsonOption,
    LaunchOptions,
    with_launch_options,
)
from embodied.cli.common.output import err, exit_on_error, out, print_error_pages, print_json
from embodied.errors import LaunchError, Problem
from embodied.launch import Launch
from embodied.node.node import Guard
from embodied.suite.annotations import annotate

FilesArgument = Annotated[
    list[Path],
    typer.Argument(help="launch files, or fragments of them", show_default=False, autocompletion=files),
]


@with_launch_options
def check(
    file: FilesArgument,
    *,
    options: LaunchOptions,
    format: FormatOption = Format.TEXT,  # noqa: A002
    as_json: JsonOption = False,
) -> None:
    """Prove every profile of launch files: wires, types, rates, models, guards."""
    with exit_on_error(as_json):
        reports = [_check(path, options) for path in file]
        code = 0 if all(report["ok"] for report in reports) else 2
        if as_json:
            plain = [_without_objects(report) for report in reports]
            print_json(plain[0] if len(plain) == 1 else {"ok": code == 0, "files": plain, "exit_code": code})
        else:
            for report in reports:
                _show(report, named=len(reports) > 1)
            _tell(reports, format)
    raise typer.Exit(code)


def _check(file: Path, options: LaunchOptions) -> dict[str, Any]:
    """What is found in one file."""
    profiles: list[dict[str, Any]] = []
    profile = options.chosen_profile()
    try:
        launch = options.load(file)
        fragment = _fragment(launch) if profile is None else None
        if fragment is not None:
            problems: list[Problem] = fragment.pop("problems")
            return {"file": str(file), "ok": not problems, "fragment": fragment, "problems": problems}
        profiles = [_prove(launch, name) for name in ([profile] if profile else [None, *launch.profiles])]
        problems = [problem for entry in profiles for problem in entry["problems"]]
        if not problems and all(entry["status"] == "no driver" for entry in profiles):
            launch.graph(profile)
    except LaunchError as error:
        problems = list(error.problems)
    return {"file": str(file), "ok": not problems, "profiles": profiles, "problems": problems}


def _fragment(launch: Launch) -> dict[str, Any] | None:
    """What a file that others include holds, and what is wrong with it; None for one that stands alone.

    Its wires lead to nodes of whoever includes it, so they are proven there. A file with a guard moves its own arm.
    """
    if not launch.partial:
        return None
    problems: list[Problem] = []
    nodes: set[str] = set()
    for profile in (None, *launch.profiles):
        nodes |= set(launch.missing(profile))
        try:
            graph = launch.graph(profile)
        except LaunchError as error:
            # That a class, or any node at all, is still missing is the very nature of a part.
            problems += [problem for problem in error.problems if problem.code not in ("E104", "E206")]
            continue
        nodes |= set(graph.entries)
        if any(isinstance(entry.node, Guard) for entry in graph.entries.values()):
            return None
    robots = {}
    for name, robot in launch.robots().items():
        robots[name] = len(robot.joints)
        try:
            robot.chain  # noqa: B018
        except ValueError as error:
            problems.append(Problem("E207", f"robot '{name}': {error}", where=str(launch.file)))
    return {"robots": robots, "nodes": sorted(nodes), "problems": problems}


def _prove(launch: Launch, profile: str | None) -> dict[str, Any]:
    name = "(hardware)" if profile is None else profile
    found = launch.check(profile)
    # A file may leave its drivers to its profiles: then it is not wrong, it only cannot run without one.
    if found.missing and not found.problems and profile is None and launch.profiles:
        return {"profile": name, "status": "no driver", "missing": list(found.missing), "problems": []}
    plan = found.plan
    if plan is None:
        missing = [] if profile is None and launch.profiles else list(found.missing.values())
        return {"profile": name, "status": "wrong", "problems": [*missing, *found.problems]}
    return {
        "profile": name,
        "status": "ok",
        "nodes": len(plan.nodes),
        "clock": plan.graph.clock,
        "machines": {
            machine: [name for name, node in plan.nodes.items() if node.machine == machine]
            for machine in plan.graph.machines
        },
        "faults": [str(fault) for fault in plan.faults],
        "reactions": [
            {"actuator": r.actuator, "node": r.node, "within_ns": r.within, "text": str(r)} for r in plan.reactions
        ],
        "problems": [],
    }


def _distinct(problems: list[Problem]) -> list[Problem]:
    """Every problem once, though several profiles may share it."""
    return list({str(problem): problem for problem in problems}.values())


def _without_objects(report: dict[str, Any]) -> dict[str, Any]:
    profiles = [
        {**entry, "problems": [problem.as_dict() for problem in entry["problems"]]}
        for entry in report.get("profiles", ())
    ]
    problems = [problem.as_dict() for problem in _distinct(report["problems"])]
    return {**report, "profiles": profiles, "problems": problems, "exit_code": 0 if report["ok"] else 2}


def _tell(reports: list[dict[str, Any]], form: Format) -> None:
    """The problems of all files: at the end, where people look first."""
    for report in reports:
        for problem in _distinct(report["problems"]):
            if form is Format.GITHUB:
                typer.echo(annotate(problem, Path(report["file"])))
            else:
                err.print(str(problem), markup=False)
    if form is Format.TEXT:
        print_error_pages(problem.code for report in reports for problem in report["problems"])


def _show(report: dict[str, Any], named: bool) -> None:
    if "fragment" in report:
        fragment = report["fragment"]
        parts = [f"robot {name} ({joints} joints)" for name, joints in fragment["robots"].items()]
        parts += [f"node {name}" for name in fragment["nodes"]]
        word = "[green]ok[/]" if report["ok"] else f"[red]{len(_distinct(report['problems']))} problem(s)[/]"
        out.print(f"[bold]{escape(report['file'])}[/]: {word}, a fragment: {escape(', '.join(parts))}")
        out.print("  its wires are proven where it is included")
        return
    if named:
        out.print(f"[bold]{escape(report['file'])}[/]" + ("" if report["profiles"] else ": [red]cannot be loaded[/]"))
    for entry in report["profiles"]:
        _show_profile(entry, "  " if named else "")


def _show_profile(report: dict[str, Any], margin: str) -> None:
    name = f"{margin}[bold]{escape(report['profile'])}[/]"
    if report["status"] == "no driver":
        out.print(f"{name}: needs a driver for {', '.join(report['missing'])}; everything else ok")
    elif report["status"] == "wrong":
        out.print(f"{name}: [red]{len(report['problems'])} problem(s)[/]")
    else:
        out.print(f"{name}: [green]ok[/], {report['nodes']} nodes")
        for machine, nodes in report["machines"].items():
            out.print(f"{margin}  on {machine}: {', '.join(nodes) or 'nothing'}", markup=False)
        for reaction in report["reactions"]:
            out.print(f"{margin}  {reaction['text']}")
        for fault in report["faults"]:
            out.print(f"{margin}  fault: {fault}", markup=False)
