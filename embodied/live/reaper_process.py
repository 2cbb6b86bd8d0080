"""Reaper program: kills the workers of a launcher that was killed, and removes the directory of the run.

It reads from a pipe which processes there are, and the launcher's end closes that pipe. The workers then have a moment
to stop by themselves. It runs isolated and needs the standard library only.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time

GRACE = 0.5
"""Time that workers have to stop by themselves once their launcher is gone [s]."""


def main(channel: int, directory: str) -> None:
    """Wait for the end of the launcher, then clean up.

    Args:
        channel: descriptor of the pipe: lines `+ process` and `- process`, and `bye` before an end in order.
        directory: of the run.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    workers: dict[int, int] = {}
    with os.fdopen(channel) as lines:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "bye":
                return
            process = int(rest)
            if word == "+":
                with contextlib.suppress(OSError):
                    workers[process] = os.pidfd_open(process)
            elif process in workers:
                os.close(workers.pop(process))
    end = time.monotonic() + GRACE
    left = dict(workers)
    while left and time.monotonic() < end:
        ready, _, _ = select.select(list(left.values()), [], [], max(0.0, end - time.monotonic()))
        left = {process: handle for process, handle in left.items() if handle not in ready}
    for process in workers:
        # The whole group, for programs that a node may have started.
        with contextlib.suppress(OSError):
            os.killpg(process, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
