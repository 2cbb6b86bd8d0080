"""`embodied messages`: the vocabulary, with shapes, dtypes and units."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import embodied.messages as vocabulary
from embodied.cli.common.complete import Choices, quiet
from embodied.cli.common.output import JsonOption, ending, out, print_json, usage
from embodied.errors import nearest
from embodied.launch.descriptions import about
from embodied.messages.schema import Command, Field, Message, schema


@quiet
def _names(_: str) -> Choices:
    return [(kind.__name__, about(kind)) for kind in _kinds()]


def messages(
    name: Annotated[str | None, typer.Argument(help="only this message type", autocompletion=_names)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the message types that ship: every field with its shape, dtype and unit."""
    with ending(as_json):
        found = {kind.__name__: kind for kind in _kinds()}
        if name is not None and name not in found:
            raise usage(f"there is no message type '{name}'", *nearest(name, found))
        chosen = [found[name]] if name is not None else list(found.values())
        if as_json:
            print_json({"messages": [_describe(kind) for kind in chosen]})
            return
        for kind in chosen:
            entry = _describe(kind)
            out.print(f"[bold]{entry['name']}[/]")
            out.print(f"  {entry['about']}", markup=False)
            for field in entry["fields"]:
                may = " or None" if field["optional"] else ""
                unit = f" [{field['unit']}]" if field["unit"] else ""
                out.print(f"  {field['name']}: {field['type']}{unit}{may}", markup=False)
            out.print()


def _kinds() -> list[type[Message]]:
    """The message types of the vocabulary, by name."""
    found = (getattr(vocabulary, name) for name in vocabulary.__all__)
    known = [kind for kind in found if isinstance(kind, type) and issubclass(kind, Message)]
    return [kind for kind in known if kind not in (Message, Command)]


def _describe(kind: type[Message]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "about": about(kind),
        "fields": [
            {"name": field.name, "type": type_of(field), "unit": field.unit, "optional": field.optional}
            for field in schema(kind)
        ],
    }


def type_of(field: Field) -> str:
    """What a field holds: `float`, `float64 (n)`."""
    if field.array is None:
        return "several texts" if field.kind == "strings" else field.kind
    return f"{field.array.dtype} ({', '.join(map(str, field.array.shape))})"
