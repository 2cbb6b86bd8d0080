"""`embodied topic echo`: print the messages of a topic, with names and units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from embodied.cli.common.message_picture import picture
from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.cli.common.running import RunOption, look_up
from embodied.cli.common.topic_stream import Received, TopicArgument, watch
from embodied.clock import SECOND, show
from embodied.messages.encoding import shown
from embodied.messages.schema import Field, schema
from embodied.plain_data import plain
from embodied.recording import filmstrip

ELEMENTS_MOST = 64
"""Size above which an array is shown by shape and range, unless --field selects it."""


def echo(
    topic: TopicArgument,
    *,
    once: Annotated[bool, typer.Option("--once", help="print the newest message and end")] = False,
    count: Annotated[int | None, typer.Option("-n", min=1, help="end after this number of messages")] = None,
    field: Annotated[str | None, typer.Option(help="only this field; position.2 is its third element")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="limit of messages per second [Hz]")] = None,
    save: Annotated[Path | None, typer.Option(help="write the picture of one message as a PNG")] = None,
    until: ForOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print messages as they are published, the newest at once; with --json one object a line."""
    with exit_on_error(as_json):
        if once and count is not None:
            raise usage("--once and -n exclude each other", "give one of them")
        limit = time_limit(until)
        limit_count = 1 if once or save is not None else count
        printed, next_stamp = 0, 0
        for received in watch(run, topic, None if limit is None else limit / SECOND):
            if rate is not None and received.stamp < next_stamp:
                continue
            next_stamp = received.stamp + (0 if rate is None else int(SECOND / rate))
            if save is not None:
                _save(received, save, as_json)
            elif as_json:
                print_json(_as_json(received, field), line=True)
            else:
                _print(received, field)
            printed += 1
            if printed == limit_count:
                break
        if not printed:
            raise typer.Exit(1)


def _save(received: Received, file: Path, as_json: bool) -> None:
    image, about = picture(received.message)
    filmstrip.save(image, file)
    if as_json:
        print_json({"file": str(file), "about": about, "shape": list(image.shape)}, line=True)
    else:
        out.print(f"{file}: {image.shape[1]} x {image.shape[0]}, {about}", markup=False)


def _part(received: Received, path: str) -> tuple[Field, Any]:
    """Return the field that a path names, and its value or an element of that."""
    name, *indices = path.split(".")
    fields = {field.name: field for field in schema(type(received.message))}
    field = look_up("field", name, fields)
    value: Any = getattr(received.message, name)
    for index in indices:
        try:
            value = value[int(index)]
        except (ValueError, IndexError, TypeError):
            raise usage(f"'{path}': there is no element '{index}' in {shown(value)}") from None
    return field, value


def _as_json(received: Received, path: str | None) -> dict[str, Any]:
    about = {
        "stamp_ns": received.stamp,
        "age_ns": received.age,
        "sequence": received.sequence,
        "skipped": received.skipped,
    }
    if path is not None:
        field, value = _part(received, path)
        return {**about, "field": path, "unit": field.unit, "value": _data(value, whole=True)}
    message = received.message
    values = {field.name: _data(getattr(message, field.name)) for field in schema(type(message))}
    return {**about, "type": type(message).__name__, "message": values}


def _data(value: Any, whole: bool = False) -> Any:
    if isinstance(value, np.ndarray) and value.size > ELEMENTS_MOST and not whole:
        low, high = value.min().item(), value.max().item()
        return {"dtype": value.dtype.name, "shape": list(value.shape), "min": low, "max": high}
    return plain(value)


def _print(received: Received, path: str | None) -> None:
    if path is not None:
        field, value = _part(received, path)
        unit = f" {field.unit}" if field.unit else ""
        out.print(f"{shown(value, 1000)}{unit}", markup=False)
        return
    missed = f", {received.skipped} passed over before it" if received.skipped else ""
    kind = type(received.message)
    when = f"at {received.stamp / SECOND:.6f} s, {show(received.age)} ago"
    out.print(f"[bold]{kind.__name__} {received.sequence} {when}{missed}[/]")
    fields = schema(kind)
    width = max((len(field.name) for field in fields), default=0)
    unit_width = max((len(field.unit) for field in fields), default=0) + 2
    for field in fields:
        about = f"[{field.unit}]" if field.unit else ""
        value = shown(getattr(received.message, field.name), ELEMENTS_MOST)
        out.print(f"  {field.name:<{width}}  {about:<{unit_width}}  {value}", markup=False)
