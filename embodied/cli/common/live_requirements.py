"""Requirements of live runs on this machine, each tried out: sockets, shared memory, timers, process handles."""

from __future__ import annotations

import importlib
import mmap
import os
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from embodied.cli.common.formatting import format_memory
from embodied.diagnosis import Finding
from embodied.errors import FOREIGN, error_text

OPEN_FILES_LEAST = 1024
"""Limit of open files that a process needs: about two hundred for twenty links, and those of its nodes."""

MEMORY_LEAST = 256 * 2**20
"""Free memory that a dozen links with pictures need [B]."""


def check_live_requirements() -> list[Finding]:
    """Try out everything that a live run needs."""
    fix = "live running needs Linux 5.9 or later"
    return [
        _try("running graphs", _folder, "set EMBODIED_RUNTIME_DIR to a short path that only you may enter"),
        _try("shared memory", _memory, fix),
        _try("wake-ups", _wakeups, fix),
        _try("watched processes", _processes, fix),
        _open_files(),
        _free_memory(),
    ]


def _try(what: str, attempt: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(what, True, attempt())
    except FOREIGN as error:
        return Finding(what, False, error_text(error), fix)


def _import(module: str) -> Any:
    # Without Linux these cannot be imported, which is a finding and no error.
    return importlib.import_module(f"embodied.{module}")


def _folder() -> str:
    """Create a run's folder, closed to other users, with a socket that accepts a connection."""
    folder = _import("live.run_directory").RunDirectory.create("doctor")
    try:
        with folder.listen(), folder.connect():
            return str(folder.path.parent)
    finally:
        folder.remove()


def _memory() -> str:
    """Pass a sealed memfd over a socket and read from it."""
    link = _import("links.memory")
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
            raise OSError("shared memory does not hold what was written")
    finally:
        os.close(received)
    return "memfd, sealed and handed over"


def _wakeups() -> str:
    """Count with an eventfd and arm a timerfd."""
    counter = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        os.eventfd_write(counter, 2)
        if os.eventfd_read(counter) != 2:
            raise OSError("an eventfd does not count")
    finally:
        os.close(counter)
    timer = _import("live.kernel").Timer()
    timer.arm(1)
    timer.close()
    return "eventfd, timerfd"


def _processes() -> str:
    """Send a signal through a pidfd."""
    handle = os.pidfd_open(os.getpid())
    try:
        signal.pidfd_send_signal(handle, 0)
    finally:
        os.close(handle)
    return "pidfd"


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fix = f"ulimit -n {max(OPEN_FILES_LEAST, min(hard, 4096))}"
    return Finding("open files", soft >= OPEN_FILES_LEAST, f"{soft} a process, {hard} at most", fix)


def _free_memory() -> Finding:
    try:
        free = _import("links.memory").available()
    except FOREIGN as error:
        return Finding("memory for rings", False, error_text(error), "live running needs Linux")
    fix = "end other programs, or add memory"
    return Finding("memory for rings", free >= MEMORY_LEAST, f"{format_memory(free)} free", fix)
