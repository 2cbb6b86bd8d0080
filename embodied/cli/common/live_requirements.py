"""Whether graphs can run live on this machine: what links, launcher and control plane need, tried for real."""

from __future__ import annotations

import importlib
import mmap
import os
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from embodied.cli.common.running import memory
from embodied.errors import FOREIGN, told

Finding = tuple[str, bool, str, str]
"""What was looked at, whether it will do, what was found, and how it is put right."""

FILES = 1024
"""A process of twenty links has about two hundred descriptors open; what nodes open comes on top."""

ROOM = 256 * 2**20
"""A dozen links that carry pictures fit into so much memory [B]."""


def live() -> list[Finding]:
    """Everything that live running needs."""
    fix = "live running needs Linux 5.9 or later"
    return [
        _tried("running graphs", _folder, "set XDG_RUNTIME_DIR to a short path that only you may enter"),
        _tried("shared memory", _memory, fix),
        _tried("wake-ups", _wakeups, fix),
        _tried("watched processes", _processes, fix),
        _files(),
        _room(),
    ]


def _tried(what: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return what, True, look(), ""
    except FOREIGN as error:
        return what, False, told(error), fix


def _live(module: str) -> Any:
    # Where there is no Linux they cannot be imported, which is the finding.
    return importlib.import_module(f"embodied.{module}")


def _folder() -> str:
    """A run's folder, closed to others, with a socket that answers."""
    folder = _live("live.run_directory").RunDirectory.create("doctor")
    try:
        with folder.listen(), folder.connect():
            return str(folder.path.parent)
    finally:
        folder.remove()


def _memory() -> str:
    """A sealed memfd that goes over a socket to another process, which cannot write to it."""
    link = _live("links.memory")
    descriptor = link.create("doctor", mmap.PAGESIZE)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        link.writable(descriptor)[:4] = b"seen"
        link.seal(descriptor)
        socket.send_fds(ours, [b"x"], [descriptor])
        os.close(descriptor)
        _, (received,), _, _ = socket.recv_fds(theirs, 1, 1)
    try:
        if link.readable(received)[:4] != b"seen":
            raise OSError("what was written is not there")
    finally:
        os.close(received)
    return "memfd, sealed and handed over"


def _wakeups() -> str:
    """An eventfd that counts, and a timer that expires."""
    counter = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        os.eventfd_write(counter, 2)
        if os.eventfd_read(counter) != 2:
            raise OSError("an eventfd does not count")
    finally:
        os.close(counter)
    timer = _live("live.kernel").Timer()
    timer.arm(1)
    timer.close()
    return "eventfd, timerfd"


def _processes() -> str:
    """A process handle that signals can be sent by."""
    handle = os.pidfd_open(os.getpid())
    try:
        signal.pidfd_send_signal(handle, 0)
    finally:
        os.close(handle)
    return "pidfd"


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return "open files", soft >= FILES, f"{soft} a process, {hard} at most", f"ulimit -n {max(FILES, min(hard, 4096))}"


def _room() -> Finding:
    try:
        free = _live("links.memory").available()
    except FOREIGN as error:
        return "memory for rings", False, told(error), "live running needs Linux"
    return "memory for rings", free >= ROOM, f"{memory(free)} free", "end what else runs, or add memory"
