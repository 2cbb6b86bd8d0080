"""`embodied param`: the settings that may change while a run goes on, between steps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.output import JsonOption, ending, out, print_json, wide
from embodied.cli.common.running import RunOption, connected, named, table

param = typer.Typer(no_args_is_help=True, help="The tunable settings of a run: list, get, set.")

SettingArgument = Annotated[
    str, typer.Argument(help="node.setting", autocompletion=complete.tunables, show_default=False)
]


@param.command("list")
def list_settings(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List what may be tuned, with its bounds."""
    with ending(as_json), connected(run) as client:
        found = client.ask("settings")
        if as_json:
            print_json({"settings": found})
            return
        made = table("setting", " value", " least", " greatest", "unit")
        for name, about in found.items():
            made.add_row(name, *(f"{about[key]:g}" for key in ("value", "low", "high")), about["unit"])
        wide().print(made)


@param.command("get")
def get(name: SettingArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Print a setting as it is now."""
    with ending(as_json), connected(run) as client:
        about = named("tunable setting", name, client.ask("settings"))
        if as_json:
            print_json({"setting": name, **about})
        else:
            out.print(_told(about["value"], about), markup=False)


@param.command("set")
def set_(
    name: SettingArgument,
    value: Annotated[float, typer.Argument(help="within its bounds", show_default=False)],
    *,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a setting, and print it as the node has it then."""
    with ending(as_json), connected(run) as client:
        about = named("tunable setting", name, client.ask("settings"))
        node, _, setting = name.rpartition(".")
        now = client.ask("set", node=node, setting=setting, value=value)
        if as_json:
            print_json({"setting": name, **about, "value": now, "before": about["value"]})
        else:
            out.print(f"{_told(now, about)}, was {_told(about['value'], about)}", markup=False)


def _told(value: float, about: dict[str, Any]) -> str:
    return f"{value:g} {about['unit']}".rstrip()
