"""What it costs to start."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks.table import interleaved, median, seconds, show

ROOT = Path(__file__).parents[2]


def main(small: bool = False) -> None:
    """Print the table.

    Args:
        small: start each once, to see that it works.
    """
    rounds = 1 if small else 9
    pick = str(ROOT / "launch" / "pick_place.yaml")
    check = f"from embodied.cli.app import application; words = ['check', {pick!r}]; application(words)(words)"
    codes = {"python": "pass", "numpy": "import numpy", "embodied": "from embodied import Node", "check": check}

    def start(code: str) -> float:
        words = [sys.executable, "-c", code]
        return seconds(lambda: subprocess.run(words, cwd=ROOT, check=True, capture_output=True))

    found = interleaved({name: partial(start, code) for name, code in codes.items()}, rounds)
    base = median(found["python"])
    rows = [["start", "ms", "above Python's own start"]]
    names = {
        "python": "python",
        "numpy": "import numpy",
        "embodied": "from embodied import Node",
        "check": "embodied check",
    }
    for name, shown in names.items():
        rows.append([shown, f"{median(found[name]) * 1000:.0f}", f"{(median(found[name]) - base) * 1000:.0f} ms"])
    show(f"Starting (medians of {rounds} processes, in turn)", rows)
