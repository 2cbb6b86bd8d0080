"""`embodied messages`: message types that ship, with shapes, dtypes and units of their fields."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import embodied.messages as vocabulary
from embodied.cli.common.complete import Choices, safe_completion
from embodied.cli.common.message_fields import describe_fields, field_line
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.errors import nearest
from embodied.launch.descriptions import about
from embodied.messages.schema import Command, Message


@safe_completion
def _names(_: str) -> Choices:
    return [(kind.__name__, about(kind)) for kind in _kinds()]


def messages(
    name: Annotated[str | None, typer.Argument(help="only this message type", autocompletion=_names)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the message types that ship: every field with its shape, dtype and unit."""
    with exit_on_error(as_json):
        kinds = {kind.__name__: kind for kind in _kinds()}
        if name is not None and name not in kinds:
            raise usage(f"there is no message type '{name}'", *nearest(name, kinds))
        chosen = [kinds[name]] if name is not None else list(kinds.values())
        if as_json:
            print_json({"messages": [_describe(kind) for kind in chosen]})
            return
        for kind in chosen:
            entry = _describe(kind)
            out.print(f"[bold]{entry['name']}[/]")
            out.print(f"  {entry['about']}", markup=False)
            for field in entry["fields"]:
                out.print(f"  {field_line(field)}", markup=False)
            out.print()


def _kinds() -> list[type[Message]]:
    """Return the message types that ship."""
    values = (getattr(vocabulary, name) for name in vocabulary.__all__)
    known = [kind for kind in values if isinstance(kind, type) and issubclass(kind, Message)]
    return [kind for kind in known if kind not in (Message, Command)]


def _describe(kind: type[Message]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "about": about(kind),
        "fields": describe_fields(kind),
    }
