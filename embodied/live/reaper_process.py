"""Program of the reaper: cleans up after a launcher that was killed, the last process of a run, needs only Python.

It receives the processes by a pipe, and learns of the launcher's end by the end of that pipe. The processes then have a
moment to stop by themselves; what is still there is killed, and the folder of the run goes. What a node started itself
is known by a mark in its environment, which it inherits wherever it goes: a session of its own, or the background.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

GRACE = 0.5
"""How long processes have to stop by themselves once their launcher is gone [s]."""

ROUNDS = 20
"""How often processes with a mark are looked for: one may start another just before it is killed."""

ROUND = 50
"""Longest wait for the end of one that was killed in a round [ms]."""


def end_marked(mark: str) -> None:
    """Kill every other process of this user whose environment, as it was started, has an entry that begins with a mark.

    Args:
        mark: beginning of the entry, `NAME=value`.
    """
    for _ in range(ROUNDS):
        try:
            numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        except OSError:
            # Without /proc nobody can be looked for.
            return
        killed = [handle for number in numbers for handle in _killed(number, mark)]
        if not killed:
            return
        poll = select.poll()
        for handle in killed:
            poll.register(handle, select.POLLIN)
        poll.poll(ROUND)
        for handle in killed:
            os.close(handle)


def _killed(process: int, mark: str) -> list[int]:
    """Kill a process if it has the mark, and return a descriptor that becomes readable when it has ended."""
    handle = -1
    try:
        if process == os.getpid():
            return []
        # With its handle open the number cannot come to stand for another process.
        handle = os.pidfd_open(process)
        environment = Path(f"/proc/{process}/environ").read_bytes()
        if any(entry.startswith(mark.encode()) for entry in environment.split(b"\0")):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return [handle]
    except OSError:
        # It has ended, or it is another user's.
        pass
    if handle >= 0:
        os.close(handle)
    return []


def main(channel: int, folder: str, mark: str) -> None:
    """Wait as the reaper for the end of a launcher, and clean up.

    Args:
        channel: descriptor of the pipe: lines `+ process` and `- process`, and `bye` before an end in order.
        folder: of the run.
        mark: in the environment of everything that the run started.
    """
    # SIGINT, SIGTERM and SIGHUP are blocked from its start: they are the launcher's to handle.
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
    end_marked(mark)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
