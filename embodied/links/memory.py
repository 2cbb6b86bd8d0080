"""Anonymous shared memory (memfd): created, sealed, mapped; freed with the last process that holds it.

All memory is reserved up front. A memfd ignores the size of /dev/shm, and one larger than the machine's memory ends its
process by SIGKILL while it is being reserved (measured), so the free memory is read first.
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
_SEAL_SHRINK = 0x2
_SEAL_GROW = 0x4
_SEAL_FUTURE_WRITE = 0x10

SHARE = 0.8
"""Largest share of the free memory for one allocation; the rest keeps other processes alive."""


def page(size: int) -> int:
    """Return a size of shared memory rounded up to whole pages [B]."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def create(name: str, size: int) -> int:
    """Reserve anonymous shared memory of a size.

    Args:
        name: shown in `/proc` and in errors.
        size: of the memory [B].

    Returns:
        descriptor of the memory.

    Raises:
        LinkFailed: the machine, the control group or the limit of the process does not allow that size.
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
    """Forbid new writable mappings of shared memory and changes of its size; present mappings stay as they are."""
    fcntl.fcntl(descriptor, _ADD_SEALS, _SEAL_SHRINK | _SEAL_GROW | _SEAL_FUTURE_WRITE)


def writable(descriptor: int) -> mmap.mmap:
    """Map shared memory for reading and writing."""
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size)


def readable(descriptor: int) -> mmap.mmap:
    """Map shared memory for reading alone, in the page table too: a stray write ends only the process that tries it."""
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size, mmap.MAP_SHARED, mmap.PROT_READ)


def available() -> int:
    """Return how much shared memory can be created: what the machine, or this process's control group, has free [B]."""
    limits = [_meminfo("MemAvailable")]
    try:
        # cgroups(7): with version 2 there is one line, `0::/path`.
        path = Path("/proc/self/cgroup").read_text().strip().rpartition(":")[2]
        folder = Path("/sys/fs/cgroup") / path.lstrip("/")
        limit = (folder / "memory.max").read_text().strip()
        if limit != "max":
            limits.append(int(limit) - int((folder / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return max(0, min(limits))


def _meminfo(key: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise LinkFailed(f"/proc/meminfo has no {key}")


def _mib(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
