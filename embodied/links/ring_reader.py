"""Subscriber's side of a ring: take posted slots, and return each once nothing refers to it any more."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from embodied.links import memory
from embodied.links.slot_view import SlotView
from embodied.links.subscription import ENTRIES, MASK, Ends, Window


class RingReader:
    """Reader of the slots of one ring, on the subscriber's side.

    Args:
        ring: descriptor of the ring's memory.
        size: of one slot [B].
        ends: descriptors of the subscription.
        bound: number of unread messages that stay, as in the publisher.
        every: take every message, not only the newest.

    Attributes:
        memory: read-only mapping; slot n is at `n * size`.
        forward: descriptor that becomes readable when a slot is posted.
        skipped: number of posts that were passed over: for a newer one, or since they cannot be read.
    """

    __slots__ = (
        "_back",
        "_box",
        "_closed",
        "_given",
        "_gone",
        "_held",
        "_limit",
        "_lock",
        "_most",
        "_newest",
        "_owed",
        "_read",
        "_returned",
        "_views",
        "_window",
        "ends",
        "every",
        "forward",
        "memory",
        "size",
        "skipped",
    )  # fmt: skip

    def __init__(self, ring: int, size: int, ends: Ends, bound: int = 1, every: bool = False) -> None:
        self.memory = memory.readable(ring)
        self.size = size
        self.ends = ends
        self.every = every
        self._window = Window.of(size, bound)
        self._box = memoryview(memory.readable(ends.box)).cast("I")
        self._returned = memoryview(memory.writable(ends.returned)).cast("I")
        self.forward, self._back = ends.forward, ends.back
        self._read = self._given = self._owed = 0
        self._held = 0
        self._limit, self._most = self._window.owed, self._window.held
        self._views: dict[int, list[SlotView]] = {}
        # Bound once: each access to a method of an object creates a new bound method.
        self._gone = self._unpin
        self._closed = False
        # The last reference to an array may be dropped in any thread of the node.
        self._lock = threading.RLock()
        self.skipped = 0
        self._newest = self.newest()

    def newest(self) -> Callable[[], int]:
        """Create a function that takes the newest slot and returns the others; -1 if nothing has come."""
        read, forward, box = os.eventfd_read, self.forward, self._box

        def take() -> int:
            try:
                count = read(forward)
            except BlockingIOError:
                # The publisher took it back between the wake-up and here; another post follows.
                return -1
            at = self._read + count
            self._read = at
            if count > 1:
                # A publisher with damaged memory may say that it posted any number.
                for index in range(max(at - count, at - ENTRIES), at - 1):
                    self.give_back(box[index & MASK])
                self.skipped += count - 1
            return box[(at - 1) & MASK]

        return take

    def take(self) -> list[int]:
        """Take the posted slots, oldest first: all of them, or the newest. Each must be given back, or pinned."""
        if not self.every:
            slot = self._newest()
            return [] if slot < 0 else [slot]
        try:
            count = os.eventfd_read(self.forward)
        except BlockingIOError:
            return []
        read = self._read
        self._read = read + count
        return [self._box[index & MASK] for index in range(max(read, read + count - ENTRIES), read + count)]

    def give_back(self, slot: int) -> None:
        """Return a slot to the publisher."""
        with self._lock:
            if self._closed:
                return
            given = self._given
            self._returned[given & MASK] = slot
            self._given = given + 1
            owed = self._owed + 1
            if owed >= self._limit:
                os.eventfd_write(self._back, owed)
                owed = 0
            self._owed = owed

    def refuse(self, slot: int) -> None:
        """Return a slot whose content cannot be read, and count it as passed over."""
        self.skipped += 1
        self.give_back(slot)

    @property
    def may_hold(self) -> bool:
        """Whether the arrays of one more slot may be used in place."""
        return self._held < self._most

    def pin(self, slot: int, arrays: list[Any]) -> None:
        """Give a slot back once the last of its arrays is gone.

        Args:
            slot: number of the slot.
            arrays: that refer to its memory.
        """
        with self._lock:
            self._held += 1
        # Kept here, since a weak reference that is itself collected never calls back.
        views = self._views[slot] = []
        for array in arrays:
            view = SlotView(array, self._gone)
            view.slot = slot
            views.append(view)

    def _unpin(self, view: SlotView) -> None:
        slot = view.slot
        with self._lock:
            views = self._views[slot]
            if len(views) > 1:
                views.remove(view)
                return
            del self._views[slot]
            self._held -= 1
            self.give_back(slot)

    def close(self) -> None:
        """Close the descriptors; arrays that are in use stay valid."""
        with self._lock:
            self._closed = True
            self.ends.close()
