"""Messages between two processes of one machine: our links, the peers, and the raw limits beside them.

`python -m tests.benchmarks links` prints the tables; `python -m tests.benchmarks.links --quick runs/links.json` is over
in a moment and writes the figures of every round as well.
"""

from __future__ import annotations

import signal
from pathlib import Path

from tests.benchmarks.links import nodes, ours
from tests.benchmarks.links.peers import dora, iceoryx2, zenoh, zeromq
from tests.benchmarks.links.report import report
from tests.benchmarks.links.rounds import SMALLEST, Pace, run
from tests.benchmarks.links.seam import Transport

TRANSPORTS: tuple[Transport, ...] = (
    ours.COPIED,
    ours.IN_PLACE,
    nodes.COPIED,
    nodes.IN_PLACE,
    iceoryx2.COPIED,
    iceoryx2.IN_PLACE,
    zeromq.PEER,
    zenoh.PEER,
    dora.PEER,
)


def main(small: bool = False, pace: Pace | None = None, path: Path | None = None) -> None:
    """Print the tables.

    Args:
        small: one short round with the smallest message, to see that it works.
        pace: how long and how often.
        path: of a JSON file with the figures of every round.
    """
    pace = pace or (SMALLEST if small else Pace())
    # Whatever ends this, its processes are ended and their shared memory is removed.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        results = run(TRANSPORTS, pace)
    finally:
        signal.signal(signal.SIGTERM, before)
    if path is not None:
        results.save(path)
    report(results, TRANSPORTS, pace)
