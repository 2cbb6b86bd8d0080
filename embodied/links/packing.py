"""A message as bytes of its own, for a link that shares no memory: the layout of a slot, and its areas behind it."""

from __future__ import annotations

import mmap
import struct
from typing import Any

from embodied.errors import WireError
from embodied.links.codec import Layout, Overflow, Reader, Writer
from embodied.messages.schema import Message

# Eight bytes, so that arrays behind it are aligned.
_COUNT = struct.Struct("<Q")


class Parcel:
    """Packs and unpacks the messages of one output.

    Args:
        layout: of its messages; it is this parcel's own from here on.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._areas = 0
        for area in layout.areas.values():
            area.offset = self._areas
            self._areas += area.size
        self._read: Reader = layout.reader()
        self._reserve(_COUNT.size + layout.size + 4096)

    def _reserve(self, room: int) -> None:
        """Memory to write into: the layout from 4 on, the areas from `room` on."""
        self._room = room
        self._memory = mmap.mmap(-1, room + self._areas)
        claimed = [None] * len(self._layout.areas)
        self._write: Writer = self._layout.writer(self._memory, 0, claimed, 0)

    def pack(self, message: Message) -> bytes:
        """The bytes of a message.

        Raises:
            WireError: it does not fit its type.
        """
        while True:
            try:
                end = self._write(message, _COUNT.size, self._room)
            except Overflow as error:
                self._reserve(2 * self._room + error.needed)
                continue
            _COUNT.pack_into(self._memory, 0, end)
            return self._memory[:end] + self._memory[self._room :]

    def unpack(self, data: bytes | memoryview) -> Any:
        """The message of some bytes.

        Raises:
            WireError: they are not bytes of such a message.
        """
        data = bytes(data)
        try:
            (end,) = _COUNT.unpack_from(data)
            if not _COUNT.size <= end <= len(data) - self._areas:
                raise ValueError(f"{len(data)} B")
            return self._read(data, _COUNT.size, data, end, None)
        except Exception as error:
            # Bytes from elsewhere break in as many ways as there are functions that read them.
            kind = self._layout.kind.__name__
            raise WireError(f"{self._layout.topic}: bytes that are no {kind} came: {error}") from None
