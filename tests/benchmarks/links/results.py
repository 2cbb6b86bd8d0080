"""What was measured, round by round, as the tables and a JSON file show it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.table import median

Key = tuple[str, str, str]
"""(section, transport, load)"""


@dataclass
class Results:
    """Figures of all rounds.

    Attributes:
        figures: by section, transport and load, then by name; one value a round.
        absent: why a transport has no figures, or not all, by its name.
    """

    figures: dict[Key, dict[str, list[float]]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, section: str, transport: str, load: str, **figures: float) -> None:
        """Add what one round gave."""
        entry = self.figures.setdefault((section, transport, load), {})
        for name, value in figures.items():
            entry.setdefault(name, []).append(value)

    def add_times(self, section: str, transport: str, load: str, times: Sequence[float]) -> None:
        """Add the median and the 99th percentile of times [µs]."""
        p50, p99 = np.percentile(np.asarray(times), (50, 99))
        self.add(section, transport, load, p50=float(p50), p99=float(p99), samples=len(times))

    def get(self, section: str, transport: str, load: str, name: str) -> float | None:
        """The median over rounds; None where nothing was measured."""
        found = self.figures.get((section, transport, load), {}).get(name)
        return median(found) if found else None

    def save(self, path: Path) -> None:
        """Write all of it as JSON; times are in µs, rates in 1/s."""
        rows: list[dict[str, Any]] = [
            {
                "section": section,
                "transport": transport,
                "load": load,
                **{name: median(values) for name, values in entry.items()},
                "rounds": entry,
            }
            for (section, transport, load), entry in self.figures.items()
        ]
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "kernel": platform.release(),
            "cores": len(os.sched_getaffinity(0)),
        }
        path.write_text(json.dumps({"machine": machine, "absent": self.absent, "rows": rows}, indent=1) + "\n")
