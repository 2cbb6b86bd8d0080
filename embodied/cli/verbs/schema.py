"""`embodied schema`: JSON Schema of launch files, by which editors complete and check them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.launch.discovery import find_classes, robot_names
from embodied.launch.project import enter_current_folder, project_root
from embodied.launch.schema import launch_schema
from embodied.launch.shipped import SHIPPED
from embodied.plain_data import dumps


def schema(
    output: Annotated[Path | None, typer.Option(help="file to write instead of standard output")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write the JSON Schema of launch files, with the classes and robots of this project and those installed."""
    with exit_on_error(as_json):
        root = project_root(Path("launch.yaml"))
        enter_current_folder()
        nodes, worlds = find_classes("node"), find_classes("world")
        document = launch_schema(nodes, worlds, robot_names([SHIPPED, root / "launch"]))
        for module, reason in (nodes.broken | worlds.broken).items():
            err.print(f"{module} is left out: {reason}", markup=False)
        if output is not None:
            output.write_text(dumps(document), encoding="utf-8")
        counts = {"nodes": len(nodes.classes), "worlds": len(worlds.classes)}
        if output is None:
            print_json(document)
        elif as_json:
            print_json({"output": str(output), **counts})
        else:
            out.print(f"{output}: {counts['nodes']} node classes, {counts['worlds']} world classes", markup=False)
