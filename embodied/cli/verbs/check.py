"""`embodied check`: check launch files, profile by profile, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from embodied.cli.common.check_text import profile_lines
from embodied.cli.common.complete import files
from embodied.cli.common.launch_options import Format, FormatOption, LaunchOptions, with_launch_options
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, immediate_interrupt, out, print_error_pages, print_json
from embodied.errors import LaunchError, Problem, problem_lines
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
    reactions: Annotated[
        bool, typer.Option("--reactions", help="print how soon each actuator holds without each node")
    ] = False,
    output_format: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
) -> None:
    """Check every profile of launch files: wires, types, rates, models, guards, and how soon each actuator holds."""
    with exit_on_error(as_json):
        with immediate_interrupt():
            reports = _without_parts([_check(path, options) for path in file])
        code = 0 if all(report["ok"] for report in reports) else 2
        if as_json:
            data = [_as_json(report) for report in reports]
            print_json(data[0] if len(data) == 1 else {"ok": code == 0, "files": data, "exit_code": code})
        else:
            for report in reports:
                _print(report, named=len(reports) > 1, reactions=reactions)
            if not reactions and any(
                entry.get("reactions") for report in reports for entry in report.get("profiles", ())
            ):
                out.print("[dim]every reaction of an actuator: --reactions[/]")
            _print_problems(reports, output_format)
    raise typer.Exit(code)


def _check(file: Path, options: LaunchOptions) -> dict[str, Any]:
    """Check one file, and describe the outcome as plain data and problems."""
    profile = options.chosen_profile()
    profiles: list[dict[str, Any]] = []
    included: frozenset[Path] = frozenset()
    try:
        launch = options.load(file)
        included = launch.included
        fragment = _fragment(launch) if profile is None else None
        if fragment is not None:
            problems: list[Problem] = fragment.pop("problems")
            return {"file": str(file), "ok": not problems, "fragment": fragment, "problems": problems}
        profiles = [_check_profile(launch, name) for name in ([profile] if profile else [None, *launch.profiles])]
        problems = [problem for entry in profiles for problem in entry["problems"]]
    except LaunchError as error:
        problems = list(error.problems)
    return {"file": str(file), "ok": not problems, "profiles": profiles, "problems": problems, "included": included}


_IN_THE_WHOLE = ("E206", "E302", "E304", "E702")
"""Problems of a file alone that are none in a file that includes it: drivers, nodes and worlds may stand there."""


def _without_parts(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave what a file lacks to another of the checked files that includes it, where its wires are checked as well."""
    settled = []
    for report in reports:
        path = Path(report["file"]).resolve()
        whole = next((other["file"] for other in reports if path in other.get("included", ())), "")
        kept = {key: value for key, value in report.items() if key != "included"}
        if whole and report["problems"] and all(problem.code in _IN_THE_WHOLE for problem in report["problems"]):
            profiles = [
                {**entry, "status": "part", "whole": whole, "problems": []} if entry["problems"] else entry
                for entry in report["profiles"]
            ]
            kept |= {"ok": True, "profiles": profiles, "problems": []}
        settled.append(kept)
    return settled


def _fragment(launch: Launch) -> dict[str, Any] | None:
    """Check a file that others include, and describe its contents; return None for one that is complete.

    Its wires lead to nodes of the including file, and are checked there. A file with a guard moves its own arm, so that
    it is complete.
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
            # A fragment may lack classes, and have no nodes at all.
            problems += [problem for problem in error.problems if problem.code not in ("E104", "E206")]
            continue
        nodes |= set(graph.entries)
        if any(isinstance(entry.node, Guard) for entry in graph.entries.values()):
            return None
    robots = {}
    for name, robot in launch.robots().items():
        robots[name] = len(robot.joints)
        try:
            _ = robot.chain
        except ValueError as error:
            problems.append(Problem("E207", f"robot '{name}': {error}", where=str(launch.file)))
    return {"robots": robots, "nodes": sorted(nodes), "problems": problems}


def _check_profile(launch: Launch, profile: str | None) -> dict[str, Any]:
    """Check one profile, and describe its nodes, machines, faults and reaction times."""
    name = "(hardware)" if profile is None else profile
    found = launch.check(profile)
    # Drivers may be left to the profiles: such a file is right, it only cannot run without a profile.
    optional = profile is None and bool(launch.profiles)
    plan = found.plan
    if plan is None:
        lacking = {"missing": list(found.missing)} if found.missing and optional else {}
        problems = [*([] if optional else found.missing.values()), *found.problems]
        status = "wrong" if problems else "no driver"
        told = {"hints": list(found.hints), "warnings": list(found.warnings)}
        return {"profile": name, "status": status, **lacking, **told, "problems": problems}
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
        "hints": list(found.hints),
        "warnings": list(found.warnings),
        "problems": [],
    }


def _distinct(problems: list[Problem]) -> list[Problem]:
    """Return every problem once, though several profiles may share it."""
    return list({str(problem): problem for problem in problems}.values())


def _as_json(report: dict[str, Any]) -> dict[str, Any]:
    profiles = [
        {**entry, "problems": [problem.as_dict() for problem in entry["problems"]]}
        for entry in report.get("profiles", ())
    ]
    problems = [problem.as_dict() for problem in _distinct(report["problems"])]
    return {**report, "profiles": profiles, "problems": problems, "exit_code": 0 if report["ok"] else 2}


def _print(report: dict[str, Any], *, named: bool, reactions: bool) -> None:
    count = len(_distinct(report["problems"]))
    file = f"[bold]{escape(report['file'])}[/]"
    if "fragment" in report:
        fragment = report["fragment"]
        parts = [f"robot {name} ({joints} joints)" for name, joints in fragment["robots"].items()]
        parts += [f"node {name}" for name in fragment["nodes"]]
        word = "[green]ok[/]" if report["ok"] else f"[red]{count} problem(s)[/]"
        out.print(f"{file}: {word}, a fragment: {escape(', '.join(parts))}")
        out.print("  its wires are checked in the file that includes it")
        return
    if named:
        out.print(file + ("" if report["profiles"] else ": [red]cannot be loaded[/]"))
    for entry in report["profiles"]:
        for line in profile_lines(entry, margin="  " if named else "", reactions=reactions):
            out.print(line)


def _print_problems(reports: list[dict[str, Any]], output_format: Format) -> None:
    """Print the hints, warnings and problems of all files, at the end where they are seen first."""
    for report in reports:
        for word in ("hint", "warning"):
            for text in dict.fromkeys(text for entry in report.get("profiles", ()) for text in entry[f"{word}s"]):
                err.print(f"{word}: {text}", markup=False)
        if output_format is Format.GITHUB:
            for problem in _distinct(report["problems"]):
                typer.echo(annotate(problem, Path(report["file"])))
        else:
            for text in problem_lines(report["problems"]):
                err.print(text, markup=False)
    if output_format is Format.TEXT:
        print_error_pages(problem.code for report in reports for problem in report["problems"])
