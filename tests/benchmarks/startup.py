"""What it costs to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.table import interleaved, median, seconds, show

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print the table."""
    pick = str(ROOT / "launch" / "pick_place.yaml")
    check = f"from embodied.cli.main import app; app(['check', {pick!r}])"
    codes = {"python": "pass", "numpy": "import numpy", "embodied": "from embodied import Node", "check": check}

    def start(code: str) -> float:
        words = [sys.executable, "-c", code]
        return seconds(lambda: subprocess.run(words, cwd=ROOT, check=True, capture_output=True))

    found = interleaved({name: (lambda code=code: start(code)) for name, code in codes.items()}, 9)  # type: ignore[misc]
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
    show("Starting (medians of 9 processes, in turn)", rows)
