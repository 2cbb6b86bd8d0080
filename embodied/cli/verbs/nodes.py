"""`embodied nodes`: node classes with their settings, inputs and outputs."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from embodied.cli.common.complete import classes
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.clock import rate_of
from embodied.errors import nearest
from embodied.launch.descriptions import about
from embodied.launch.discovery import find_classes
from embodied.launch.project import enter_current_folder
from embodied.node.node import Node
from embodied.node.ports import PortError, read_ports
from embodied.node.settings import field_types, name_of
from embodied.plain_data import plain


def nodes(
    name: Annotated[
        str | None, typer.Argument(help="only this class, or the classes of this module", autocompletion=classes)
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the node classes of the packages `sims`, `drivers` and `policies`, of this project and installed."""
    with exit_on_error(as_json):
        enter_current_folder()
        described, broken = _find()
        if name is not None:
            known = {entry["use"] for entry in described} | {entry["use"].partition(":")[0] for entry in described}
            module, _, kind = name.rpartition(":")
            broken = {other: reason for other, reason in broken.items() if other.startswith(module or kind)}
            described = [entry for entry in described if _selected(entry["use"], name)]
            if not described and not broken:
                raise usage(f"there is no node class '{name}'", *nearest(name, known))
        if as_json:
            print_json({"nodes": described, "not_importable": broken})
            return
        for entry in described:
            _print(entry)
        for module, reason in broken.items():
            out.print(f"{module}: cannot be read: {reason}", markup=False)


def _selected(use: str, name: str) -> bool:
    """Whether a class is selected by its own name, its module's, or that of a package above it."""
    module, _, kind = use.partition(":")
    above, _, wanted = name.rpartition(":")
    if above:
        return wanted == kind and (module == above or module.startswith(above + "."))
    return name in (kind, module) or module.startswith(name + ".")


def _find() -> tuple[list[dict[str, Any]], dict[str, str]]:
    discovered = find_classes("node")
    described: list[dict[str, Any]] = []
    for use, kind in discovered.classes.items():
        try:
            described.append(_describe(use, kind))
        except (PortError, NameError, TypeError) as error:
            discovered.broken[use] = str(error)
    return described, discovered.broken


def _describe(use: str, kind: type[Node]) -> dict[str, Any]:
    ports = read_ports(kind)
    types = field_types(kind)
    settings: dict[str, Any] = {}
    settable: Any = kind
    for entry in dataclasses.fields(settable) if dataclasses.is_dataclass(settable) else ():
        if entry.init:
            required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
            default = None if entry.default is dataclasses.MISSING else plain(entry.default)
            settings[entry.name] = {"type": name_of(types[entry.name]), "required": required, "default": default}
    return {
        "use": use,
        "about": about(kind),
        "rate": None if kind.rate is None else str(rate_of(kind.rate)),
        "settings": settings,
        "in": {name: str(port) for name, port in ports.inputs.items()},
        "out": {name: str(port) for name, port in ports.outputs.items()},
    }


def _print(entry: dict[str, Any]) -> None:
    schedule = "on its trigger" if entry["rate"] is None else f"at {entry['rate']} Hz"
    if entry["rate"] is None and not entry["in"]:
        schedule = "once"
    out.print(f"[bold]{entry['use']}[/]  {schedule}", markup=True)
    out.print(f"  {entry['about']}", markup=False)
    for name, setting in entry["settings"].items():
        default = "required" if setting["required"] else f"default {setting['default']}"
        out.print(f"  with  {name}: {setting['type']} ({default})", markup=False)
    for name, port in entry["in"].items():
        out.print(f"  in    {name}: {port}", markup=False)
    for name, port in entry["out"].items():
        out.print(f"  out   {name}: {port}", markup=False)
    out.print()
