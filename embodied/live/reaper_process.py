"""Program of the reaper: cleans up after a launcher that was killed, the last process of a run, needs only Python.

It receives the processes by a pipe, and learns of the launcher's end by the end of that pipe. The processes then have a
moment to stop by themselves; what is still there is killed, and the folder of the run goes.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time

GRACE = 0.5
"""How long processes have to stop by themselves once their launcher is gone [s]."""


def main(channel: int, folder: str) -> None:
    """Wait as the reaper for the end of a launcher, and clean up.

    Args:
        channel: descriptor of the pipe: lines `+ process` and `- process`, and `bye` before an end in order.
        folder: of the run.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    there: dict[int, int] = {}
    with os.fdopen(channel) as lines:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "bye":
                return
            process = int(rest)
            if word == "+":
                with contextlib.suppress(OSError):
                    there[process] = os.pidfd_open(process)
            elif process in there:
                os.close(there.pop(process))
    end = time.monotonic() + GRACE
    left = dict(there)
    while left and time.monotonic() < end:
        ready, _, _ = select.select(list(left.values()), [], [], max(0.0, end - time.monotonic()))
        left = {process: handle for process, handle in left.items() if handle not in ready}
    for process in there:
        # Its group, for what a node may have started itself.
        with contextlib.suppress(OSError):
            os.killpg(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
