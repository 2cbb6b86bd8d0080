"""Shared memory without a name: it goes with the last process that holds it, whatever kills that process.

Everything is reserved up front. A memfd ignores the size of /dev/shm, and one that asks for more than the machine has
ends its process by SIGKILL while it is being reserved (measured), so what is free is asked first.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import resource
from pathlib import Path

from embodied.errors import LinkFailed

_ADD_SEALS = 1033
_SHRINK, _GROW, _FUTURE_WRITE = 0x2, 0x4, 0x10

SHARE = 0.8
"""How much of what is free one allocation may take: what is left keeps the others alive."""


def page(size: int) -> int:
    """A size rounded up to whole pages [B]."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def create(name: str, size: int) -> int:
    """Reserve shared memory.

    Args:
        name: for `/proc`, and for the error.
        size: [B].

    Returns:
        its descriptor.

    Raises:
        LinkFailed: the machine, the control group or the process's limit has not got that much.
    """
    free = available()
    if size > free * SHARE:
        raise LinkFailed(
            f"'{name}' needs {_mib(size)} of shared memory, and {_mib(free)} are free; take smaller messages or fewer"
        )
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit != resource.RLIM_INFINITY and size > limit:
        raise LinkFailed(f"'{name}' needs {_mib(size)} of shared memory, and 'ulimit -f' allows {_mib(limit)}")
    descriptor = os.memfd_create(name[:200], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
            raise LinkFailed(f"'{name}' needs {_mib(size)} of shared memory: {error.strerror}") from None
        raise
    return descriptor


def seal(descriptor: int) -> None:
    """From now on nobody maps it for writing, nor changes its size; mappings there are go on."""
    fcntl.fcntl(descriptor, _ADD_SEALS, _SHRINK | _GROW | _FUTURE_WRITE)


def writable(descriptor: int) -> mmap.mmap:
    """A mapping that may be written."""
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size)


def readable(descriptor: int) -> mmap.mmap:
    """A mapping in which a write is a fault of the process that tries it."""
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size, mmap.MAP_SHARED, mmap.PROT_READ)


def available() -> int:
    """How much memory the machine and the control group of this process have left [B]."""
    found = [_meminfo("MemAvailable")]
    try:
        # cgroups(7): with version 2 there is one line, `0::/path`.
        path = Path("/proc/self/cgroup").read_text().strip().rpartition(":")[2]
        folder = Path("/sys/fs/cgroup") / path.lstrip("/")
        limit = (folder / "memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int((folder / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return max(0, min(found))


def _meminfo(key: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise LinkFailed(f"/proc/meminfo has no {key}")


def _mib(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
