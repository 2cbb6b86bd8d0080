"""Subscription to a ring: its window, the descriptors that both sides share, and the publisher's side."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass

from embodied.links import memory

LARGE = 256 * 1024
"""Slot size from which memory costs more than system calls [B]."""

HUGE = 8 * 1024 * 1024
"""Slot size from which a subscriber holds a single slot [B]."""


@dataclass(frozen=True, slots=True)
class Window:
    """Window of a subscription to a ring: slots that a subscriber may have at a time.

    Attributes:
        posts: slots in its box, read or not; beyond it the oldest unread is taken back.
        owed: returned slots that are signalled together, with one system call.
        held: slots whose arrays are used in place; those of further slots are copied.
    """

    posts: int
    owed: int
    held: int

    @classmethod
    def of(cls, slot: int, bound: int = 1) -> Window:
        """Compute the window of a subscriber.

        Args:
            slot: size of a slot [B].
            bound: number of unread messages that stay.
        """
        if slot >= HUGE:
            owed, held = 1, 1
        elif slot >= LARGE:
            owed, held = 1, 2
        else:
            owed, held = 8, 8
        # With `held` slots in use, one being copied and `owed` - 1 returned but not signalled, a post must still fit.
        return cls((owed - 1) + held + 1 + max(1, bound) + (8 if slot < LARGE else 0), owed, held)


@dataclass(slots=True)
class Ends:
    """Descriptors of one subscription to a ring, which the launcher makes and passes to both sides.

    Attributes:
        box: memory of the posted slot numbers, written by the publisher.
        returned: memory of the returned slot numbers, written by the subscriber.
        forward: counter of posts that are not read yet.
        back: counter of returned slots that are not taken back yet.
    """

    box: int
    returned: int
    forward: int
    back: int

    @classmethod
    def make(cls, name: str) -> Ends:
        """Create the memory and the counters of a new subscription.

        Args:
            name: of the link, for `/proc` and for errors.
        """
        flags = os.EFD_CLOEXEC | os.EFD_NONBLOCK
        box = memory.create(f"{name}.box", mmap.PAGESIZE * 16)
        returned = memory.create(f"{name}.returned", mmap.PAGESIZE * 16)
        return cls(box, returned, os.eventfd(0, flags), os.eventfd(0, flags))

    def all(self) -> list[int]:
        """Return the descriptors in the order of the fields."""
        return [self.box, self.returned, self.forward, self.back]

    def close(self) -> None:
        """Close the descriptors; their mappings stay valid."""
        for descriptor in self.all():
            os.close(descriptor)


ENTRIES = mmap.PAGESIZE * 16 // 4
"""Capacity of a box, and of a list of returned slots, a power of two [slot numbers]."""

MASK = ENTRIES - 1
"""Mask that wraps a running count into the list."""


class SlotSubscription:
    """Subscription to a ring, on the publisher's side.

    Args:
        ends: descriptors of the subscription.
        window: of the subscriber.
        bound: number of unread messages that stay when the window is full.
        lossless: unread slots are never taken back.

    Attributes:
        flight: slots that the subscriber has, in the order of posting.
        written: number of posts so far, less those taken back.
        dropped: number of unread slots that were taken back.
        skipped: number of messages that were not posted since the window was full.
        broken: the subscriber has written nonsense, and is not trusted any more.
    """

    __slots__ = (
        "_back", "_read", "_returned", "bound", "box", "broken", "dropped", "ends", "flight", "forward", "lossless",
        "skipped", "window", "written",
    )  # fmt: skip

    def __init__(self, ends: Ends, window: Window, bound: int, lossless: bool) -> None:
        self.ends = ends
        self.window = window.posts
        self.bound = ENTRIES if lossless else bound
        self.lossless = lossless
        self.box = memoryview(memory.writable(ends.box)).cast("I")
        self._returned = memoryview(memory.readable(ends.returned)).cast("I")
        self.forward, self._back = ends.forward, ends.back
        self.written = self._read = 0
        self.flight: dict[int, None] = {}
        self.dropped = self.skipped = 0
        self.broken = False

    def collect(self, keep: int) -> list[int]:
        """Take back the unread posts beyond the newest `keep`, and the slots that were returned.

        Reading the counter resets it to 0 in one atomic step: its posts are unread and can no longer be read, and all
        earlier ones were read before.
        """
        flight = self.flight
        unread: list[int] = []
        try:
            count = os.eventfd_read(self.forward)
        except BlockingIOError:
            count = 0
        if count > len(flight):
            self.broken = True
            return self.abandon()
        unread += [flight.popitem()[0] for _ in range(count)]
        self.written -= count
        unread.reverse()
        freed = unread[: max(0, len(unread) - keep)]
        self.dropped += len(freed)
        kept = unread[len(freed) :]
        for slot in kept:
            self.box[self.written & MASK] = slot
            self.written += 1
        freed += self.credits()
        if self.broken:
            return [*freed, *kept, *self.abandon()]
        if kept:
            for slot in kept:
                flight[slot] = None
            os.eventfd_write(self.forward, len(kept))
        return freed

    def credits(self) -> list[int]:
        """Return the slots that the subscriber has returned since the last call; unread ones stay posted."""
        try:
            count = os.eventfd_read(self._back)
        except BlockingIOError:
            return []
        flight = self.flight
        freed: list[int] = []
        for index in range(self._read, self._read + min(count, ENTRIES)):
            slot = self._returned[index & MASK]
            if slot not in flight:
                self.broken = True
                break
            del flight[slot]
            freed.append(slot)
        self._read += count
        return freed

    def abandon(self) -> list[int]:
        """Take back every slot, from a subscriber that is gone or broken."""
        slots = list(self.flight)
        self.flight.clear()
        return slots

    def close(self) -> None:
        """Close the descriptors of the subscription."""
        self.ends.close()
