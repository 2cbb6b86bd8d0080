"""`${args.name}` and `${env:NAME:-default}`: the only two substitutions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from embodied.errors import Problem, nearest
from embodied.launch.yaml_document import Item, located, scalar

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_ARGUMENT = re.compile(r"args\.([A-Za-z_][A-Za-z0-9_]*)")
_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?")


def substitute(item: Item, args: Mapping[str, Any], problems: list[Problem]) -> Item:
    """An item with every reference replaced.

    A reference that is the whole of a value keeps its type, so `${args.count}` may be a number.

    Args:
        item: what to replace in.
        args: values of `${args.…}`.
        problems: what is wrong is added here.
    """
    if isinstance(item.value, dict):
        made = {key: substitute(entry, args, problems) for key, entry in item.value.items()}
        return Item(made, item.place, item.key)
    if isinstance(item.value, list):
        return Item([substitute(entry, args, problems) for entry in item.value], item.place, item.key)
    if not isinstance(item.value, str) or "${" not in item.value:
        return item
    whole = _REFERENCE.fullmatch(item.value)
    if whole:
        return located(_look_up(whole[1], item, args, problems), item)
    text = _REFERENCE.sub(lambda match: str(_look_up(match[1], item, args, problems)), item.value)
    return Item(text, item.place, item.key)


def _look_up(reference: str, item: Item, args: Mapping[str, Any], problems: list[Problem]) -> Any:
    argument = _ARGUMENT.fullmatch(reference)
    if argument:
        if argument[1] in args:
            return args[argument[1]]
        help_ = nearest(argument[1], args) or (f"add 'args: {{{argument[1]}: …}}'",)
        problems.append(Problem("E107", f"there is no argument '{argument[1]}'", item.place, help=help_))
        return None
    variable = _ENVIRONMENT.fullmatch(reference)
    if variable:
        value = os.environ.get(variable[1])
        if value is None and variable[2] is None:
            help_ = (f"set it, or give a default: ${{env:{variable[1]}:-…}}",)
            problems.append(
                Problem("E107", f"the environment variable {variable[1]} is not set", item.place, help=help_)
            )
            return None
        return scalar(value if value is not None else variable[2])
    message = f"cannot read ${{{reference}}}"
    problems.append(Problem("E107", message, item.place, help=("write ${args.name} or ${env:NAME:-default}",)))
    return None
