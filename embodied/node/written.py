"""Scalar of a launch file as it is written, since the text and the number of `00012345` are two things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PADDED = re.compile(r"[-+]?0[0-9]+")


@dataclass(frozen=True, slots=True)
class Written:
    """Scalar of a launch file: a setting of type text takes its text, any other its value.

    Attributes:
        value: by the core schema of YAML: a number, a flag, None or text.
        text: as it is written.
        folder: of the file in which it is written; relative paths are relative to it.
    """

    value: Any
    text: str
    folder: Path

    @property
    def padded(self) -> bool:
        """Whether it is a number with zeros before it, as serial numbers have: nobody writes a quantity like that."""
        return isinstance(self.value, int) and _PADDED.fullmatch(self.text) is not None

    def __repr__(self) -> str:
        return repr(self.value)


def unwritten(value: Any) -> Any:
    """Return plain data without `Written`: each scalar as its value, at any depth."""
    if isinstance(value, Written):
        return value.value
    if isinstance(value, dict):
        return {key: unwritten(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [unwritten(entry) for entry in value]
    return value
