"""Last message of each topic of a run, in a line: the inputs and outputs of a policy when nothing moved any more."""

from __future__ import annotations

from typing import Any

import numpy as np

from embodied.messages.schema import Message, schema
from embodied.untrusted.text import cut

VALUES_MOST = 8
"""Largest number of values of an array that are written; of a larger one its shape is."""

LINE_MOST = 300
"""Longest line for one message [characters]."""


def message_line(message: Message) -> str:
    """Describe a message in a line: its fields with their values, of large arrays the shape."""
    parts = [f"{field.name} {_value(getattr(message, field.name))}" for field in schema(type(message))]
    return cut(", ".join(parts), LINE_MOST)


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.size <= VALUES_MOST:
            return str(np.array2string(value, precision=4, separator=" ", suppress_small=True)).replace("\n", "")
        return f"{value.dtype} ({', '.join(map(str, value.shape))})"
    return f"{value:.5g}" if isinstance(value, float) else repr(value)
