"""`embodied param`: list, read and change the tunable settings of a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.number_option import finite
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json
from embodied.cli.common.running import RunOption, connected, look_up
from embodied.cli.common.tables import Column, Table, numeric

param = typer.Typer(no_args_is_help=True, help="The tunable settings of a run: list, get, set.")

SettingArgument = Annotated[
    str, typer.Argument(help="node.setting", autocompletion=complete.tunables, show_default=False)
]


@param.command("list")
def list_settings(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List the tunable settings with values and bounds."""
    with exit_on_error(as_json), connected(run) as client:
        settings = client.ask("settings")
        if as_json:
            print_json({"settings": settings})
            return
        rows = Table(
            Column("setting"), numeric("value"), numeric("least", 2), numeric("greatest", 3), Column("unit", 1)
        )
        for name, about in settings.items():
            rows.add(name, *(f"{about[key]:g}" for key in ("value", "low", "high")), about["unit"])
        rows.print()


@param.command("get")
def get(name: SettingArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Print the current value of a setting."""
    with exit_on_error(as_json), connected(run) as client:
        about = look_up("tunable setting", name, client.ask("settings"))
        if as_json:
            print_json({"setting": name, **about})
        else:
            out.print(_with_unit(about["value"], about), markup=False)


@param.command("set")
def set_(
    name: SettingArgument,
    value: Annotated[float, typer.Argument(help="within its bounds", callback=finite, show_default=False)],
    *,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a setting between two steps, and print the value that the node has then."""
    with exit_on_error(as_json), connected(run) as client:
        about = look_up("tunable setting", name, client.ask("settings"))
        node, _, setting = name.rpartition(".")
        now = client.ask("set", node=node, setting=setting, value=value)
        if as_json:
            print_json({"setting": name, **about, "value": now, "before": about["value"]})
        else:
            out.print(f"{_with_unit(now, about)}, was {_with_unit(about['value'], about)}", markup=False)


def _with_unit(value: float, about: dict[str, Any]) -> str:
    return f"{value:g} {about['unit']}".rstrip()
