"""What came of the trials of one fault."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

MS = 1e6


@dataclass(slots=True)
class Tally:
    """What came of some trials of one fault.

    Attributes:
        fault: in words.
        promise: what must hold.
        timed: figures beyond their limits break the promise too; not on a machine that others use.
        trials: how often it was tried.
        figures: what was measured in each trial, by name with its unit.
        broken: a sentence for each trial in which the promise was not kept.
    """

    fault: str
    promise: str
    timed: bool = True
    trials: int = 0
    figures: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, value: float | None, limit: float | None = None) -> None:
        """Take a figure; None breaks the promise, and so does one beyond a limit."""
        if value is None:
            self.wrong(f"no {name}")
            return
        self.figures.setdefault(name, []).append(value)
        if self.timed and limit is not None and value > limit:
            self.wrong(f"{name}: {value:.1f}, and {limit:g} is the most")

    def wrong(self, text: str) -> None:
        """A promise was not kept in this trial."""
        self.broken.append(f"trial {self.trials}: {text}")

    def rows(self) -> list[tuple[str, str]]:
        """Each figure, with its median, 99th percentile and maximum."""
        return [
            (name, f"{np.median(values):.1f} / {np.percentile(values, 99):.1f} / {max(values):.1f}")
            for name, values in self.figures.items()
        ]
