"""A message as flat bytes, its stamp and then its arrays, for peers that leave the layout to their user."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from tests.benchmarks.links.loads import Load

START = 64
"""A large array begins here [B], at a cache line."""


class Flat:
    """The layout of one kind of message.

    Attributes:
        size: of a message [B].
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._dtype = np.dtype(load.dtype)
        self._kind: type[Any] = load.kind
        self._fields = load.fields
        self._head = struct.Struct("<q" + ("" if load.large else f"{load.each}s" * len(load.fields)))
        self._offsets = [8 + load.each * n for n in range(len(load.fields))]
        self.size = START + load.size if load.large else self._head.size

    def write(self, message: Any, memory: Any) -> None:
        """Copy a message into memory."""
        if self._load.large:
            self._head.pack_into(memory, 0, message.acquired)
            np.copyto(self._array(memory), message.data)
        else:
            arrays = [getattr(message, name).tobytes() for name in self._fields]
            self._head.pack_into(memory, 0, message.acquired, *arrays)

    def stamp(self, message: Any, memory: Any) -> None:
        """Write no more than the stamp: the array is there already."""
        self._head.pack_into(memory, 0, message.acquired)

    def encoded(self, message: Any) -> bytes:
        """A message as bytes."""
        if self._load.large:
            return b"".join((self._head.pack(message.acquired), bytes(START - 8), message.data.data))
        return self._head.pack(message.acquired, *[getattr(message, name).tobytes() for name in self._fields])

    def view(self, memory: Any) -> Any:
        """A message whose array lies in memory."""
        return self._kind(data=self._array(memory), acquired=0)

    def read(self, memory: Any) -> Any:
        """A message from memory: a large array is looked at in place, small ones are copied out at once."""
        if self._load.large:
            return self._kind(data=self._array(memory), acquired=self._head.unpack_from(memory)[0])
        data = bytes(memory)
        shape, dtype = self._load.shape, self._dtype
        arrays = {
            name: np.ndarray(shape, dtype, data, offset)
            for name, offset in zip(self._fields, self._offsets, strict=True)
        }
        return self._kind(**arrays, acquired=self._head.unpack_from(data)[0])

    def _array(self, memory: Any) -> Any:
        return np.ndarray(self._load.shape, self._dtype, memory, START)
