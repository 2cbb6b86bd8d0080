"""Constraints on a message beyond its type: sizes, frame, dtypes, units and command modes that settings fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a node's settings fix about a port, beyond its message type.

    Attributes:
        sizes: size of dimensions by letter, `{"n": 7}`.
        frame: the frame a message is in.
        dtypes: numpy's dtype names, by field.
        units: units, by field.
        modes: for commands, the fields that are given, or taken.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    frame: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    modes: frozenset[str] | None = None

    def joined(self, other: Refinement) -> Refinement:
        """Both together; where both say something, this one's word."""
        return Refinement(
            {**other.sizes, **self.sizes},
            other.frame if self.frame is None else self.frame,
            {**other.dtypes, **self.dtypes},
            {**other.units, **self.units},
            other.modes if self.modes is None else self.modes,
        )


UNCONSTRAINED = Refinement()
"""Constraints of a port whose node fixes nothing."""
