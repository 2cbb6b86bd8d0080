"""Tally of the trials of one fault: figures, and promises that were not kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

MS = 1e6
"""Nanoseconds in a millisecond."""


@dataclass(slots=True)
class Tally:
    """Outcomes of the trials of one fault.

    Attributes:
        fault: name of the fault.
        promise: what must hold after it.
        timed: whether a figure beyond its limit breaks the promise; not on a machine that others use.
        trials: number of trials.
        figures: values measured in the trials, by name with the unit.
        broken: sentence for each trial in which the promise was not kept.
    """

    fault: str
    promise: str
    timed: bool = True
    trials: int = 0
    figures: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, value: float | None, limit: float | None = None) -> None:
        """Add a figure; None, or a value beyond the limit, breaks the promise."""
        if value is None:
            self.wrong(f"no {name}")
            return
        self.figures.setdefault(name, []).append(value)
        if self.timed and limit is not None and value > limit:
            self.wrong(f"{name}: {value:.1f}, at most {limit:g}")

    def wrong(self, text: str) -> None:
        """Note that the promise was not kept in this trial."""
        self.broken.append(f"trial {self.trials}: {text}")

    def rows(self) -> list[tuple[str, str]]:
        """Return each figure with its median, 99th percentile and maximum."""
        return [
            (name, f"{np.median(values):.1f} / {np.percentile(values, 99):.1f} / {max(values):.1f}")
            for name, values in self.figures.items()
        ]
