"""`embodied topic echo`: messages as they are published, with names and units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.message_picture import picture
from embodied.cli.common.output import ForOption, JsonOption, ending, out, print_json, time_limit, usage
from embodied.cli.common.running import RunOption, named
from embodied.cli.common.topic_stream import Seen, watch
from embodied.clock import SECOND, show
from embodied.messages.encoding import shown
from embodied.messages.schema import Field, schema
from embodied.plain_data import plain
from embodied.recording import filmstrip

MOST = 64
"""Larger arrays are shown by shape and range, unless their field is asked for."""

TopicArgument = Annotated[
    str,
    typer.Argument(help="node.port; a node means its first output", autocompletion=complete.topics, show_default=False),
]


def echo(
    topic: TopicArgument,
    *,
    once: Annotated[bool, typer.Option("--once", help="the newest, and no more")] = False,
    count: Annotated[int | None, typer.Option("-n", min=1, help="so many, and no more")] = None,
    field: Annotated[str | None, typer.Option(help="this field alone; position.2 is its third element")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="at most so many a second [Hz]")] = None,
    save: Annotated[Path | None, typer.Option(help="write the picture as a PNG, and no more")] = None,
    until: ForOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is published, the newest at once; with --json an object a line. Nothing is slowed down by it."""
    with ending(as_json):
        if once and count is not None:
            raise usage("--once and -n exclude each other", "give one of them")
        limit = time_limit(until)
        most = 1 if once or save is not None else count
        done, next_ = 0, 0
        for seen in watch(run, topic, None if limit is None else limit / SECOND):
            if rate is not None and seen.stamp < next_:
                continue
            next_ = seen.stamp + (0 if rate is None else int(SECOND / rate))
            if save is not None:
                _save(seen, save, as_json)
            elif as_json:
                print_json(_plain(seen, field), line=True)
            else:
                _show(seen, field)
            done += 1
            if done == most:
                break
        if not done:
            raise typer.Exit(1)


def _save(seen: Seen, file: Path, as_json: bool) -> None:
    made, about = picture(seen.message)
    filmstrip.save(made, file)
    if as_json:
        print_json({"file": str(file), "about": about, "shape": list(made.shape)}, line=True)
    else:
        out.print(f"{file}: {made.shape[1]} x {made.shape[0]}, {about}", markup=False)


def _part(seen: Seen, path: str) -> tuple[Field, Any]:
    """A field of a message, or an element of it."""
    name, *indices = path.split(".")
    fields = {field.name: field for field in schema(type(seen.message))}
    field = named("field", name, fields)
    value: Any = getattr(seen.message, name)
    for index in indices:
        try:
            value = value[int(index)]
        except (ValueError, IndexError, TypeError):
            raise usage(f"'{path}': there is no element '{index}' in {shown(value)}") from None
    return field, value


def _plain(seen: Seen, path: str | None) -> dict[str, Any]:
    about = {"stamp_ns": seen.stamp, "age_ns": seen.age, "sequence": seen.sequence, "skipped": seen.skipped}
    if path is not None:
        field, value = _part(seen, path)
        return {**about, "field": path, "unit": field.unit, "value": _data(value, whole=True)}
    message = seen.message
    values = {field.name: _data(getattr(message, field.name)) for field in schema(type(message))}
    return {**about, "type": type(message).__name__, "message": values}


def _data(value: Any, whole: bool = False) -> Any:
    if isinstance(value, np.ndarray) and value.size > MOST and not whole:
        low, high = value.min().item(), value.max().item()
        return {"dtype": value.dtype.name, "shape": list(value.shape), "min": low, "max": high}
    return plain(value)


def _show(seen: Seen, path: str | None) -> None:
    if path is not None:
        field, value = _part(seen, path)
        unit = f" {field.unit}" if field.unit else ""
        out.print(f"{shown(value, 1000)}{unit}", markup=False)
        return
    missed = f", {seen.skipped} not seen before it" if seen.skipped else ""
    head = f"{type(seen.message).__name__} {seen.sequence} at {seen.stamp / SECOND:.6f} s, {show(seen.age)} ago{missed}"
    out.print(f"[bold]{head}[/]")
    fields = schema(type(seen.message))
    wide = max((len(field.name) for field in fields), default=0)
    of_units = max((len(field.unit) for field in fields), default=0) + 2
    for field in fields:
        about = f"[{field.unit}]" if field.unit else ""
        value = shown(getattr(seen.message, field.name), MOST)
        out.print(f"  {field.name:<{wide}}  {about:<{of_units}}  {value}", markup=False)
