"""Claim on a device: no two drivers of a machine have one device at a time, whatever process and user they are of.

A claim is a socket in Linux's abstract namespace (unix(7)), whose name is made from the device's: it needs no file, no
right and no cleaning up, and the kernel ends it with the process. Who has it is asked of the socket.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import socket
import struct
from pathlib import Path

from embodied.errors import DeviceInUse

PREFIX = "\0embodied/device/"
"""Beginning of the names of these sockets."""

CREDENTIALS = struct.Struct("3i")
"""Process, user and group at the other end of a socket, as SO_PEERCRED returns them (unix(7))."""

WAITING_MOST = 128
"""Number of processes that may have asked who has a device; more of them get no answer."""


class Claim:
    """Claim on a device, until it is released or the process ends.

    Args:
        what: the device, in the same words in every process: `the xArm at 192.168.1.185:502`.

    Raises:
        DeviceInUse: another driver has claimed it.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        name = PREFIX + hashlib.sha256(what.encode()).hexdigest()
        try:
            self._socket.bind(name)
            self._socket.listen(WAITING_MOST)
        except OSError as error:
            self._socket.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise DeviceInUse(what, _holder(name)) from error

    def release(self) -> None:
        """Give the device back; releasing it twice is allowed."""
        self._socket.close()


def _holder(name: str) -> str:
    """Return which process has bound a socket of a name."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.setblocking(False)
        asker.connect(name)
        data = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        process, _, _ = CREDENTIALS.unpack(data)
        if process == os.getpid():
            return "another driver of this run"
        if process > 0:
            return f"process {process}"
    return ""


def lock_port(descriptor: int, port: str) -> None:
    """Lock an open serial port, as pyserial's `exclusive` does, so that no other such program can open it.

    Args:
        descriptor: of the open port; the lock ends with it.
        port: path of the port, for the error.

    Raises:
        DeviceInUse: another program has locked it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DeviceInUse(f"serial port {port}", lock_holder(port)) from error


def lock_holder(port: str) -> str:
    """Return which process has locked a serial port, as far as the kernel says so (proc_locks(5))."""
    with contextlib.suppress(OSError, ValueError):
        inode = str(Path(port).stat().st_ino)
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode and int(fields[4]) > 0:
                own = int(fields[4]) == os.getpid()
                return "another driver of this run" if own else f"process {fields[4]}"
    return ""
