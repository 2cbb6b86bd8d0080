"""Descriptors from one process of a line to another, for what has no name: eventfds, memfds."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.links.lines import PATIENCE


def give(path: Path, descriptors: Sequence[Sequence[int]]) -> None:
    """Wait until every far process has taken its own, in the order of their numbers.

    Args:
        path: of a socket that is made for this.
        descriptors: for each far process; they stay open here.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(len(descriptors))
        listener.settimeout(PATIENCE)
        for _ in descriptors:
            other, _ = listener.accept()
            with other:
                number = other.recv(1)[0]
                socket.send_fds(other, [b"."], descriptors[number - 1])


def take(path: Path, number: int, count: int) -> list[int]:
    """Take what the near process gives to this one.

    Args:
        path: of its socket, which may be still to come.
        number: of this far process, from 1 on; who takes from a far process is its first.
        count: of descriptors.

    Raises:
        TimeoutError: nobody gives.
    """
    deadline = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_UNIX) as end:
        while end.connect_ex(str(path)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody gives at {path}")
            os.sched_yield()
        end.send(bytes([number]))
        _, found, _, _ = socket.recv_fds(end, 1, count)
        return list(found)
