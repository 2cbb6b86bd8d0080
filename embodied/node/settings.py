"""Conversion of settings: plain data of a launch file to the typed fields of a node or a world."""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from embodied.clock import rate_of
from embodied.errors import nearest
from embodied.messages.schema import without_none
from embodied.node.written import Written, unwritten
from embodied.robot import Robot
from embodied.untrusted.text import shown


@dataclass(frozen=True, slots=True)
class Context:
    """Context of a setting's conversion: names and paths that a value may refer to.

    Attributes:
        robots: by name, for settings of type `Robot`.
        folder: base of relative paths.
        broken: names of robots whose descriptions are wrong.
    """

    robots: Mapping[str, Robot] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)
    broken: frozenset[str] = frozenset()


class SettingError(ValueError):
    """A value that does not fit its setting.

    Attributes:
        path: keys and indices that lead to the value.
        help: what to do next, one sentence a line.
    """

    def __init__(self, message: str, path: tuple[str, ...] = (), help: tuple[str, ...] = ()) -> None:  # noqa: A002
        super().__init__(message)
        self.path = path
        self.help = help


class BrokenRobot(SettingError):
    """A setting that names a robot whose description is wrong, which is reported where it stands."""


def field_types(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's settings, by name; none for a class without fields."""
    if not dataclasses.is_dataclass(kind):
        return {}
    names = [entry.name for entry in dataclasses.fields(kind) if entry.init]
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        # Attributes that are no settings may be annotated with what is imported for a type checker alone.
        own = {name: annotation for name, annotation in inspect.get_annotations(base).items() if name in names}
        hints |= get_type_hints(type(base.__name__, (), {"__annotations__": own, "__module__": base.__module__}))
    return {name: hints[name] for name in names}


def required(kind: type) -> list[str]:
    """Return the names of the settings that have no default."""
    if not dataclasses.is_dataclass(kind):
        return []
    missing = dataclasses.MISSING
    return [
        f.name for f in dataclasses.fields(kind) if f.init and f.default is missing and f.default_factory is missing
    ]


def convert(annotation: Any, value: Any, context: Context) -> Any:
    """Convert a plain value to the type of a setting.

    Args:
        annotation: type of the setting.
        value: plain data, as a launch file has it.
        context: names and paths that the value may refer to.

    Raises:
        SettingError: the value does not fit; the message names what is expected.
    """
    inner, optional = without_none(annotation)
    if isinstance(value, Written):
        context = replace(context, folder=value.folder)
        value = _read(inner, value)
    elif inner in _WHOLE or get_origin(inner) is np.ndarray:
        value = unwritten(value)
    if value is None:
        if optional or inner in (Any, object, type(None)):
            return None
        raise SettingError(f"expected {name_of(inner)}, got nothing")
    if inner in (Any, object):
        return value
    if inner is Robot:
        return _robot(value, context)
    simple = _SIMPLE.get(inner)
    if simple is not None:
        return simple(value, context)
    origin = get_origin(inner)
    if origin in (Union, types.UnionType):
        return _first_fit(inner, value, context)
    if origin is Literal:
        if value not in get_args(inner):
            raise SettingError(
                f"expected {name_of(inner)}, got {shown(value)}", help=nearest(str(value), map(str, get_args(inner)))
            )
        return value
    if origin is np.ndarray or inner is np.ndarray:
        return _array(value, context)
    if origin in (tuple, list):
        return _sequence(inner, origin, value, context)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingError(f"expected a mapping, got {shown(value)}")
        return {key: _inside(str(key), get_args(inner)[1], item, context) for key, item in value.items()}
    if dataclasses.is_dataclass(inner) and isinstance(inner, type):
        if not isinstance(value, Mapping):
            raise SettingError(f"expected a mapping of {', '.join(field_types(inner))}, got {shown(value)}")
        return make(inner, value, context)
    raise SettingError(f"a launch file cannot give a {name_of(inner)}")


_WHOLE = (Any, object, np.ndarray)
"""Types of settings that take a list or a mapping as it is."""


def _read(inner: Any, written: Written) -> Any:
    """Return what a setting takes of a scalar: its text, its value, or both for a choice between types."""
    if written.value is None or get_origin(inner) in (Union, types.UnionType):
        return written if written.value is not None else None
    if inner in (str, Path):
        return written.text
    choices = get_args(inner) if get_origin(inner) is Literal else ()
    return written.text if written.text in choices and written.value not in choices else written.value


def make(kind: type, values: Mapping[str, Any], context: Context) -> Any:
    """Create an instance of a dataclass by conversion of its settings from plain values.

    Args:
        kind: the dataclass.
        values: plain data, by setting.
        context: names and paths that the values may refer to.

    Raises:
        SettingError: a value does not fit, one is missing, or one is unknown.
    """
    known = field_types(kind)
    for key in values:
        if key not in known:
            raise SettingError(f"{kind.__name__} has no setting '{key}'", (key,), nearest(key, known))
    for key in required(kind):
        if key not in values:
            raise SettingError(
                f"{kind.__name__} needs the setting '{key}' ({name_of(known[key])})", (), (f"add '{key}: …'",)
            )
    converted = {key: _inside(key, known[key], value, context) for key, value in values.items()}
    try:
        return kind(**converted)
    except (ValueError, TypeError) as error:
        raise SettingError(f"{kind.__name__}: {error}") from error


def name_of(annotation: Any) -> str:
    """Describe the type of a setting in the words of a launch file."""
    inner, optional = without_none(annotation)
    suffix = " or null" if optional else ""
    words = {
        float: "a number",
        int: "a whole number",
        bool: "true or false",
        str: "text",
        Path: "a path",
        Robot: "a robot's name",
    }
    origin = get_origin(inner)
    if inner in words:
        return words[inner] + suffix
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(inner))) + suffix
    if origin is np.ndarray:
        return "a list of numbers" + suffix
    if origin in (Union, types.UnionType):
        *others, last = map(name_of, get_args(inner))
        return f"{', '.join(others)} or {last}{suffix}"
    if origin in (tuple, list):
        inside = [arg for arg in get_args(inner) if arg is not Ellipsis]
        count = "" if origin is list or Ellipsis in get_args(inner) else f"{len(inside)} "
        return f"a list of {count}{name_of(inside[0]).removeprefix('a ')}s{suffix}" if inside else "a list" + suffix
    return str(getattr(inner, "__name__", inner)) + suffix


def _inside(key: str, annotation: Any, value: Any, context: Context) -> Any:
    try:
        return convert(annotation, value, context)
    except SettingError as error:
        shown = str(error) if error.path else f"'{key}': {error}"
        raise type(error)(shown, (key, *error.path), error.help) from None


def _number(value: Any, _: Context) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise SettingError(f"expected a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SettingError(f"expected a finite number, got {str(value)[:40]}")
    return number


def _whole(value: Any, _: Context) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise SettingError(f"expected a whole number, got {shown(value)}")
    return int(value)


def _exactly(kind: type) -> typing.Callable[[Any, Context], Any]:
    def check(value: Any, _: Context) -> Any:
        if type(value) is not kind:
            raise SettingError(f"expected {name_of(kind)}, got {shown(value)}")
        return value

    return check


def _path(value: Any, context: Context) -> Path:
    if not isinstance(value, str | Path) or "://" in str(value).removeprefix("package://"):
        raise SettingError(f"expected a path, got {shown(value)}")
    return context.folder / value


def _fraction(value: Any, _: Context) -> Fraction:
    try:
        return rate_of(value)
    except ValueError as error:
        raise SettingError(str(error)) from None


_SIMPLE: dict[Any, typing.Callable[[Any, Context], Any]] = {
    float: _number,
    int: _whole,
    bool: _exactly(bool),
    str: _exactly(str),
    Path: _path,
    Fraction: _fraction,
}


def _robot(value: Any, context: Context) -> Robot:
    if isinstance(value, Robot):
        return value
    if isinstance(value, str) and value in context.broken:
        raise BrokenRobot(f"the description of robot '{value}' is wrong")
    if not isinstance(value, str) or value not in context.robots:
        help_ = nearest(str(value), context.robots) or (
            "include a fragment that has 'robots:', such as robots/panda.yaml",
        )
        raise SettingError(f"unknown robot {shown(value)}", help=help_)
    return context.robots[value]


def _array(value: Any, context: Context) -> Any:
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, list):
        raise SettingError(f"expected a list of numbers, got {shown(value)}")
    rows = [_array(item, context).tolist() if isinstance(item, list) else _number(item, context) for item in value]
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        raise SettingError(f"expected rows of equal length, got {shown(value)}") from None


def _sequence(inner: Any, origin: Any, value: Any, context: Context) -> Any:
    if not isinstance(value, list | tuple):
        raise SettingError(f"expected {name_of(inner)}, got {shown(value)}")
    args = get_args(inner)
    if origin is list or Ellipsis in args:
        kinds = [args[0]] * len(value)
    elif len(args) != len(value):
        raise SettingError(f"expected {name_of(inner)}, got {len(value)}: {shown(value)}")
    else:
        kinds = list(args)
    items = [_inside(str(i), kind, item, context) for i, (kind, item) in enumerate(zip(kinds, value, strict=True))]
    return items if origin is list else tuple(items)


def _first_fit(inner: Any, value: Any, context: Context) -> Any:
    failures = []
    choices = list(get_args(inner))
    if isinstance(value, Written):
        # A number is text only where nothing else takes it.
        choices.sort(key=lambda choice: (choice in (str, Path)) != value.padded)
    for choice in choices:
        try:
            return convert(choice, value, context)
        except SettingError as error:
            failures.append(error)
    raise SettingError(" or ".join(str(error) for error in failures))
