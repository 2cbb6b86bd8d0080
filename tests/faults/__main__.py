"""`make faults`: run the long version of every fault, and print a table of the outcomes.

    python -m tests.faults [SHARE] [NAME …]

SHARE: share of the trials to run, 1 by default. NAME: beginning of the names of the faults to run.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.faults.all import faults
from tests.faults.tally import Tally


def main(share: float, names: list[str]) -> int:
    """Run faults one after the other, and return 1 if a promise was not kept.

    Args:
        share: share of the trials to run, 0 to 1.
        names: beginnings of the names of the faults to run; empty runs all.
    """
    console = Console(width=150)
    table = Table("fault", "promise", "trials", "kept", "figure", "median / p99 / max", title="faults")
    broken = 0
    for name, promise, trials, fault in faults(np.random.default_rng(0)):
        if names and not any(name.startswith(wanted) for wanted in names):
            continue
        tally = Tally(name, promise)
        begin = time.monotonic()
        fault(max(1, round(share * trials)), tally)
        broken += len(tally.broken)
        kept = str(tally.trials - len({text.partition(":")[0] for text in tally.broken}))
        for index, (figure, value) in enumerate(tally.rows() or [("", "")]):
            first = (name, promise, str(tally.trials), kept) if not index else ("", "", "", "")
            table.add_row(*first, escape(figure), value)
        console.print(f"{name}: {kept} of {tally.trials} in {time.monotonic() - begin:.0f} s", markup=False)
        for text in tally.broken:
            console.print(f"  {text}", markup=False)
    console.print(table)
    return 1 if broken else 0


if __name__ == "__main__":
    share = [word for word in sys.argv[1:] if word.replace(".", "").isdigit()]
    sys.exit(main(float(share[0]) if share else 1.0, [word for word in sys.argv[1:] if word not in share]))
