"""Constraints on a message beyond its type: sizes, frame, dtypes, units and command modes that settings fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refinement:
    """Constraints of a port beyond its message type, as the node's settings fix them.

    Attributes:
        sizes: sizes of dimensions by letter, `{"n": 7}`.
        frame: coordinate frame of the message.
        dtypes: numpy's names of element types, by field.
        units: units, by field.
        modes: for commands, the fields that are published, or accepted.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    frame: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    modes: frozenset[str] | None = None

    def joined(self, other: Refinement) -> Refinement:
        """Return both together; where both fix something, this one prevails."""
        return Refinement(
            {**other.sizes, **self.sizes},
            other.frame if self.frame is None else self.frame,
            {**other.dtypes, **self.dtypes},
            {**other.units, **self.units},
            other.modes if self.modes is None else self.modes,
        )


UNCONSTRAINED = Refinement()
"""Constraints of a port whose node fixes nothing."""
