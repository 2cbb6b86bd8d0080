"""Form of a request: names and types of its arguments, checked before anything is done with them.

The form is the signature of the function that answers, so that there is one statement of it. Whatever a client sends is
carried out or refused with a sentence; what is refused reaches no node.
"""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any

from embodied.untrusted.text import shown

_KINDS: dict[object, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text", lambda value: isinstance(value, str)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number from 0", lambda value: type(value) is int and value >= 0),
    float: ("a finite number", lambda value: type(value) in (int, float) and math.isfinite(value)),
    dict: ("a mapping whose keys are texts", lambda value: isinstance(value, dict) and all(map(_is_text, value))),
}


def check_form(verb: str, answer: Callable[..., Any], about: Mapping[str, Any], given: int) -> None:
    """Check the arguments of a request against the signature of the function that answers it.

    Args:
        verb: name of the request.
        answer: the function.
        about: arguments of the request.
        given: number of parameters of the function that are not the client's.

    Raises:
        ValueError: one is missing, unknown, or of another type.
    """
    fields = list(inspect.signature(answer).parameters.values())[given:]
    kinds = typing.get_type_hints(answer)
    unknown = sorted(about.keys() - {field.name for field in fields})
    if unknown:
        known = ", ".join(field.name for field in fields) or "no arguments"
        raise ValueError(f"'{verb}' takes {known}, and not {shown(unknown[0])}")
    for field in fields:
        text, fits = _KINDS[typing.get_origin(kinds[field.name]) or kinds[field.name]]
        if field.name not in about:
            if field.default is field.empty:
                raise ValueError(f"'{verb}' needs {field.name}, {text}")
        elif not fits(about[field.name]):
            raise ValueError(f"{field.name} of '{verb}' must be {text}, got {shown(about[field.name])}")


def _is_text(key: object) -> bool:
    return isinstance(key, str)
