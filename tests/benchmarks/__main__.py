"""All benchmarks, or those that are named: `python -m tests.benchmarks startup lockstep`.

`--small` runs each once and briefly, as the tests do.
"""

from __future__ import annotations

import os
import platform
import sys

from tests.benchmarks import determinism, links, live, lockstep, perception, rendering, startup, success

BENCHMARKS = {
    "startup": startup.main,
    "lockstep": lockstep.main,
    "links": links.main,
    "live": live.main,
    "rendering": rendering.main,
    "perception": perception.main,
    "determinism": determinism.main,
    "success": success.main,
}


def main() -> None:
    """Run them."""
    chosen = [word for word in sys.argv[1:] if word != "--small"] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}")
    print(f"Python {platform.python_version()}, {platform.machine()}, {len(os.sched_getaffinity(0))} cores")
    for name in chosen:
        BENCHMARKS[name]("--small" in sys.argv)


if __name__ == "__main__":
    main()
