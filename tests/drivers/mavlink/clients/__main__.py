"""`make clients`: run every script of a client on a vehicle of its own, and print which are done."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.drivers.mavlink.clients.listing import FLIGHTS, GROUND
from tests.drivers.mavlink.clients.serve import run

PARALLEL = 2
"""Number of vehicles at a time."""


def main(wanted: list[str]) -> int:
    """Run the scripts whose names are wanted, or all; return 1 if one fails.

    Args:
        wanted: names of scripts; empty runs all.
    """
    names = [name for name in (*GROUND, *FLIGHTS) if not wanted or name in wanted]
    with ThreadPoolExecutor(PARALLEL) as pool:
        outputs = dict(zip(names, pool.map(lambda name: run([name]), names), strict=True))
    done = [name for name, output in outputs.items() if f"done {name}" in output]
    for name in names:
        print(f"{name}: {'done' if name in done else outputs[name]}")
    print(f"{len(done)} of {len(names)}")
    return int(len(done) < len(names))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
