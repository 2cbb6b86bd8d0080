"""Run scripts by their names against the vehicle that sends to a port, in this process: `run.py PORT NAME…`."""

from __future__ import annotations

import os
import sys
import traceback

from tests.drivers.mavlink.clients import flights, ground
from tests.drivers.mavlink.clients.session import Session


def main(port: int, names: list[str]) -> int:
    """Run scripts by name, and print each that is done or fails."""
    scripts = {script.__name__: script for script in (*ground.SCRIPTS, *flights.SCRIPTS)}
    session, failed = Session(port), 0
    for name in names:
        try:
            scripts[name](session)
            print(f"done {name}", flush=True)
        except Exception:
            failed += 1
            print(f"failed {name}\n{traceback.format_exc()}", flush=True)
    return failed


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    sys.stdout.flush()
    os._exit(code)
