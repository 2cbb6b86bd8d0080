"""Packing of a message into bytes, for links without shared memory: the layout of a slot, then its areas."""

from __future__ import annotations

import mmap
import struct
from typing import Any

from embodied.errors import WireError
from embodied.links.codec import Layout, Overflow, Reader, Writer
from embodied.messages.schema import Message

# Offset of the areas; eight bytes, so that the arrays behind it are aligned.
_COUNT = struct.Struct("<Q")


class Packer:
    """Packer of the messages of one output into bytes, and back.

    Args:
        layout: of the messages; the packer sets the offsets of its areas.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._areas = 0
        for area in layout.areas.values():
            area.offset = self._areas
            self._areas += area.size
        self._read: Reader = layout.reader()
        self._reserve(_COUNT.size + layout.size + 4096)

    def _reserve(self, size: int) -> None:
        """Allocate memory to write into, with the areas from offset `size`."""
        self._size = size
        self._memory = mmap.mmap(-1, size + self._areas)
        claimed = [None] * len(self._layout.areas)
        self._write: Writer = self._layout.writer(self._memory, 0, claimed, 0)

    def pack(self, message: Message) -> bytes:
        """Return the bytes of a message.

        Raises:
            WireError: the message does not fit its type.
        """
        while True:
            try:
                end = self._write(message, _COUNT.size, self._size)
            except Overflow as error:
                self._reserve(2 * self._size + error.needed)
                continue
            _COUNT.pack_into(self._memory, 0, end)
            return self._memory[:end] + self._memory[self._size :]

    def unpack(self, data: bytes | memoryview) -> Any:
        """Return the message that some bytes hold.

        Raises:
            WireError: the bytes are not those of such a message.
        """
        data = bytes(data)
        try:
            (end,) = _COUNT.unpack_from(data)
            if not _COUNT.size <= end <= len(data) - self._areas:
                raise ValueError(f"{len(data)} B")
            return self._read(data, _COUNT.size, data, end, None)
        except Exception as error:
            # Bytes from another machine can make any function that reads them raise anything.
            kind = self._layout.kind.__name__
            raise WireError(f"{self._layout.topic}: received bytes that are no {kind}: {error}") from None
