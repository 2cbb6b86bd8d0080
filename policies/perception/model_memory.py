"""Bound of the memory that looking at an ONNX model takes: a small file may declare tensors of any size."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from policies.perception import model_file

MEMORY_MOST = 640 << 20
"""Memory that looking at a model may take beside three times the size of its files [B]; below 1 GB with the process."""

_SIGNS = (
    "bad_alloc",
    "bad allocation",
    "failed to allocate memory",
    "memoryerror",
    "out of memory",
    "integer overflow",
)
"""Parts of the errors in which ONNX Runtime says that it gets no memory."""


@contextmanager
def bounded_memory(model: Path) -> Iterator[None]:
    """Bound the memory of this process while a model is looked at; what is allocated beyond that fails.

    Args:
        model: path of the model, with its weights beside it.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        files = {model, *model_file.weights(model).values()}
        # Weights are read, arranged for the processor, and may be mapped as well.
        most = _address_space() + MEMORY_MOST + 3 * sum(file.stat().st_size for file in files)
        known = [limit for limit in before if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([most, *known]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def memory_problem(model: Path, error: Exception) -> str:
    """Return what is wrong with a model of which an error says that it got no memory; empty for any other error."""
    text = f"{type(error).__name__}: {error}".lower()
    if not any(sign in text for sign in _SIGNS):
        return ""
    return (
        f"{model} needs more than {MEMORY_MOST >> 20} MiB beside its files: a tensor in it is too large; export it for "
        "one input at a time, with fixed sizes"
    )


def _address_space() -> int:
    """Return the size of this process's address space [B]."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
