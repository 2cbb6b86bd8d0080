"""Substitution of references: `${args.name}` and `${env:NAME:-default}` are the only two."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from embodied.errors import LaunchError, Problem, nearest
from embodied.launch.yaml_document import Item, moved, scalar, text_of, walk

_REFERENCE = re.compile(r"\$\{((?:(?!\$\{)[^}])*)\}")
_OPENED = re.compile(r"\$\{(args\.|env:)")
_ARGUMENT = re.compile(r"args\.([A-Za-z_][A-Za-z0-9_]*)")
_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Stand-in for a value whose reference `${…}` cannot be resolved.

    It is a problem only where it is used: a layer that is not chosen, or lies below another, may hold one.
    """

    problem: Problem


def substitute(item: Item, args: Mapping[str, Item]) -> Item:
    """Substitute every reference `${…}` in an item.

    A reference that is the whole of a value keeps its type, so `${args.count}` may be a number; a setting of type text,
    and text around a reference, take it as it is written, so that `${env:CAMERA}` keeps its zeros.

    Args:
        item: the item, which is not changed.
        args: values of `${args.…}`.

    Returns:
        a copy, with an `Unresolved` in place of each value that has no value.
    """
    if isinstance(item.value, dict):
        return Item({key: substitute(entry, args) for key, entry in item.value.items()}, item.place, item.key)
    if isinstance(item.value, list):
        return Item([substitute(entry, args) for entry in item.value], item.place, item.key)
    if not isinstance(item.value, str) or "${" not in item.value:
        return item
    try:
        whole = _REFERENCE.fullmatch(item.value)
        if whole:
            value = _look_up(whole[1], item, args)
            return moved(value, item.place, item.key, value.source or value.place)
        text = _REFERENCE.sub(lambda match: _as_text(match[0], _look_up(match[1], item, args)), item.value)
        if _OPENED.search(_REFERENCE.sub("", item.value)):
            help_ = ("end it with }, and write no reference inside another",)
            raise LaunchError([Problem("E107", f"a reference has no end in {item.value!r}", item.place, help_)])
    except LaunchError as error:
        return Item(Unresolved(error.problems[0]), item.place, item.key)
    return Item(text, item.place, item.key)


def unresolved(item: Item) -> Iterator[Problem]:
    """Yield the problem of each reference `${…}` in an item that could not be resolved."""
    for _, entry in walk(item):
        if isinstance(entry.value, Unresolved):
            yield entry.value.problem


def _as_text(reference: str, value: Item) -> str:
    if isinstance(value.value, dict | list):
        help_ = ("let the reference be the whole value",)
        message = f"{reference} is {value.kind}, which cannot stand inside text"
        raise LaunchError([Problem("E107", message, value.place, help_)])
    return text_of(value) or ""


def _look_up(reference: str, item: Item, args: Mapping[str, Item]) -> Item:
    argument = _ARGUMENT.fullmatch(reference)
    if argument:
        if argument[1] in args:
            return args[argument[1]]
        help_ = nearest(argument[1], args) or (f"add 'args: {{{argument[1]}: …}}'",)
        raise LaunchError([Problem("E107", f"there is no argument '{argument[1]}'", item.place, help_)])
    variable = _ENVIRONMENT.fullmatch(reference)
    if variable:
        value: str | None = os.environ.get(variable[1], variable[2])
        if value is None:
            help_ = (f"set it, or give a default: ${{env:{variable[1]}:-…}}",)
            message = f"the environment variable {variable[1]} is not set"
            raise LaunchError([Problem("E107", message, item.place, help_)])
        return Item(scalar(value), item.place, item.key, value)
    help_ = ("write ${args.name} or ${env:NAME:-default}",)
    raise LaunchError([Problem("E107", f"cannot read ${{{reference}}}", item.place, help_)])
