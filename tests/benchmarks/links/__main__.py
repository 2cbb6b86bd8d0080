"""The links alone, with a choice: `python -m tests.benchmarks.links [--quick] [FILE.json]`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.links import main
from tests.benchmarks.links.rounds import QUICK, Pace

words = sys.argv[1:]
files = [word for word in words if word != "--quick"]
main(pace=QUICK if "--quick" in words else Pace(), path=Path(files[0]) if files else None)
