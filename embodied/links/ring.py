"""A ring in shared memory: slots that one process writes and others read, and the newest always arrives.

The publisher owns a pool of slots and counts who uses each. A subscription is a box of slot numbers, written by the
publisher, and a list of returned slots, written by the subscriber; two eventfd counters say how far either has come.
Both counters cross the kernel, so the order of memory never depends on the processor.

A full window is made room in by taking back what has not been read: the publisher reads the subscriber's own counter,
which tells, atomically, how many posts are now no longer there for it. So the newest is posted even when the subscriber
sleeps, and it stays there when the publisher falls silent or dies. A publisher never waits.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from embodied.errors import LinkFailed
from embodied.links import memory

LARGE = 256 * 1024
"""From this slot size [B] on memory counts for more than system calls."""
HUGE = 8 * 1024 * 1024

OBSERVERS = 2
"""How many subscribers beyond those of the graph find slots: `topic echo` and the like."""


@dataclass(frozen=True, slots=True)
class Window:
    """How many slots a subscriber may have at a time.

    Attributes:
        posts: in its box, read or not; beyond it the oldest unread is taken back.
        owed: so many returned slots are told at a time.
        held: so many may be looked at in place; what comes on top is copied.
    """

    posts: int
    owed: int
    held: int

    @classmethod
    def of(cls, slot: int, bound: int = 1) -> Window:
        """The window for a slot size [B], and for how many messages that must all be delivered."""
        if slot >= HUGE:
            owed, held = 1, 1
        elif slot >= LARGE:
            owed, held = 1, 2
        else:
            owed, held = 8, 8
        # Whoever has `held` in hand, one being copied and `owed` not yet told must still leave room for a post.
        return cls((owed - 1) + held + 1 + max(1, bound) + (8 if slot < LARGE else 0), owed, held)


@dataclass(slots=True)
class Ends:
    """The descriptors of one subscription, as the launcher makes them and hands them to both sides."""

    box: int
    returned: int
    forward: int
    back: int

    @classmethod
    def make(cls, name: str) -> Ends:
        """A new subscription."""
        flags = os.EFD_CLOEXEC | os.EFD_NONBLOCK
        box = memory.create(f"{name}.box", mmap.PAGESIZE * 16)
        returned = memory.create(f"{name}.returned", mmap.PAGESIZE * 16)
        return cls(box, returned, os.eventfd(0, flags), os.eventfd(0, flags))

    def all(self) -> list[int]:
        """In the order of the fields."""
        return [self.box, self.returned, self.forward, self.back]

    def close(self) -> None:
        """Close the descriptors; mappings go on."""
        for descriptor in self.all():
            os.close(descriptor)


ENTRIES = mmap.PAGESIZE * 16 // 4
"""Slot numbers in a box, and in a list of returned slots; a power of two."""
_MASK = ENTRIES - 1


class Post:
    """The publisher's side of one subscription."""

    __slots__ = (
        "_back", "_read", "_returned", "bound", "box", "broken", "dropped", "ends", "flight", "forward", "lossless",
        "skipped", "window", "written",
    )  # fmt: skip

    def __init__(self, ends: Ends, window: Window, bound: int, lossless: bool) -> None:
        self.ends = ends
        self.window = window.posts
        # How many unread posts stay when room is made.
        self.bound = ENTRIES if lossless else bound
        self.lossless = lossless
        self.box = memoryview(memory.writable(ends.box)).cast("I")
        self._returned = memoryview(memory.readable(ends.returned)).cast("I")
        self.forward, self._back = ends.forward, ends.back
        self.written = self._read = 0
        # Slots it has, in the order they were posted.
        self.flight: dict[int, None] = {}
        self.dropped = self.skipped = 0
        self.broken = False

    def collect(self, keep: int) -> list[int]:
        """Take back the unread posts beyond the newest `keep`, and the slots that were returned.

        The counter is read first: what it held is unread from here on, and what it did not was read before.
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
            self.box[self.written & _MASK] = slot
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
        """The slots that were returned since this was asked last; what is unread stays as it is."""
        try:
            count = os.eventfd_read(self._back)
        except BlockingIOError:
            return []
        flight = self.flight
        freed: list[int] = []
        for index in range(self._read, self._read + min(count, ENTRIES)):
            slot = self._returned[index & _MASK]
            if slot not in flight:
                self.broken = True
                break
            del flight[slot]
            freed.append(slot)
        self._read += count
        return freed

    def abandon(self) -> list[int]:
        """Every slot it has, when it is gone or cannot be believed."""
        slots = list(self.flight)
        self.flight.clear()
        return slots

    def close(self) -> None:
        """Give the descriptors back."""
        self.ends.close()


class Ring:
    """The publisher's side: a pool of slots.

    Args:
        name: for errors.
        size: of one slot [B].
        windows: of the subscribers that are known.
        observers: how many more find slots.

    Attributes:
        memory: the mapping; slot n is at `n * size`.
        newest: the slot that was published last, -1 before the first.
    """

    def __init__(self, name: str, size: int, windows: Iterable[Window], observers: int = OBSERVERS) -> None:
        self.name = name
        self.size = size
        window = Window.of(size)
        # One slot is the newest, one is being written.
        self.slots = sum(w.posts for w in windows) + observers * window.posts + 2
        self.descriptor = memory.create(name, memory.page(self.slots * size))
        self.memory = memory.writable(self.descriptor)
        memory.seal(self.descriptor)
        self.newest = -1
        self.posts: list[Post] = []
        self._uses = [0] * self.slots
        self._free = list(range(self.slots))
        self._later: deque[int] = deque()
        self._held: dict[int, View] = {}
        self._gone = self._unhold

    def claim(self) -> int:
        """A slot to write, which nobody reads.

        Raises:
            LinkFailed: subscribers hold them all, beyond what they may.
        """
        while self._later:
            self._release((self._later.popleft(),))
        if self.size >= LARGE:
            # What was returned last is still in the cache, and is written next.
            for post in self.posts:
                self._release(post.credits())
        if not self._free:
            for post in self.posts:
                self._release(post.collect(post.bound))
        if not self._free:
            raise LinkFailed(f"'{self.name}': subscribers hold all {self.slots} slots")
        slot = self._free.pop()
        self._uses[slot] = 1
        return slot

    def publish(self, slot: int) -> None:
        """Post a claimed slot to every subscriber; it is the newest from now on."""
        old, self.newest = self.newest, slot
        uses, eventfd_write = self._uses, os.eventfd_write
        broken = False
        for post in self.posts:
            if len(post.flight) >= post.window:
                self._release(post.collect(post.bound - 1))
            if post.broken or len(post.flight) >= post.window:
                broken = broken or post.broken
                post.skipped += 1
                continue
            uses[slot] += 1
            post.box[post.written & _MASK] = slot
            post.written += 1
            post.flight[slot] = None
            eventfd_write(post.forward, 1)
        if broken:
            # It told of slots that it has not got: whatever else it says is no better.
            for post in [post for post in self.posts if post.broken]:
                self.unsubscribe(post)
        if old >= 0:
            uses[old] -= 1
            if not uses[old]:
                self._free.append(old)

    def full(self) -> list[int]:
        """Descriptors that become readable when subscribers which must get every message have room for one more."""
        found = []
        for post in self.posts:
            if post.lossless and len(post.flight) >= post.window:
                self._release(post.collect(ENTRIES))
                if len(post.flight) >= post.window:
                    found.append(post.ends.back)
        return found

    def hold(self, slot: int, array: Any) -> None:
        """Keep a slot from being written anew while someone in this process looks at an array in it."""
        self._uses[slot] += 1
        view = View(array, self._gone)
        view.slot = slot
        self._held[id(view)] = view

    def drop(self, slot: int) -> None:
        """Undo a claim."""
        self._later.append(slot)

    def _unhold(self, view: View) -> None:
        # In any thread: a node's last look at an array may end in any.
        self._later.append(view.slot)
        del self._held[id(view)]

    def subscribe(self, ends: Ends, bound: int = 1, lossless: bool = False) -> Post:
        """Take on a subscriber; it gets the newest at once."""
        post = Post(ends, Window.of(self.size, bound), bound, lossless)
        self.posts.append(post)
        if self.newest >= 0:
            self._uses[self.newest] += 1
            post.box[0] = self.newest
            post.written = 1
            post.flight[self.newest] = None
            os.eventfd_write(post.forward, 1)
        return post

    def unsubscribe(self, post: Post) -> None:
        """Let a subscriber go, with all that it held."""
        self.posts.remove(post)
        self._release(post.abandon())
        post.close()

    def _release(self, slots: Iterable[int]) -> None:
        uses = self._uses
        for slot in slots:
            uses[slot] -= 1
            if not uses[slot]:
                self._free.append(slot)


class View(weakref.ref[Any]):
    """A reference to an array in a slot that does not keep it, and says when it goes.

    Attributes:
        slot: number of the slot.
    """

    __slots__ = ("slot",)
    slot: int

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


class Intake:
    """The subscriber's side.

    Args:
        ring: descriptor of the ring's memory.
        size: of one slot [B].
        ends: of the subscription.
        bound: as the publisher was told.

    Attributes:
        memory: read-only mapping; slot n is at `n * size`.
        forward: becomes readable when something is posted.
        skipped: posts that were passed over for a newer one.
    """

    __slots__ = (
        "_back", "_box", "_closed", "_gone", "_held", "_limit", "_lock", "_most", "_newest", "_owed", "_read",
        "_returned", "_told", "_views", "_window", "ends", "every", "forward", "memory", "size", "skipped",
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
        self._read = self._told = self._owed = 0
        self._held = 0
        self._limit, self._most = self._window.owed, self._window.held
        self._views: dict[int, list[View]] = {}
        # Bound once: a method of an object that is asked for it is made anew each time.
        self._gone = self._unpin
        self._closed = False
        # A view may die in any thread of the node's.
        self._lock = threading.RLock()
        self.skipped = 0
        self._newest = self.newest()

    def newest(self) -> Callable[[], int]:
        """A function that takes the newest slot, for a subscriber of nothing else; -1 if nothing has come."""
        read, forward, box = os.eventfd_read, self.forward, self._box

        def take() -> int:
            try:
                count = read(forward)
            except BlockingIOError:
                # Taken back between the wake-up and here; another post follows.
                return -1
            at = self._read + count
            self._read = at
            if count > 1:
                for index in range(at - count, at - 1):
                    self.give_back(box[index & _MASK])
                self.skipped += count - 1
            return box[(at - 1) & _MASK]

        return take

    def take(self) -> list[int]:
        """The slots to look at now, oldest first: all of them, or the newest. Each must be returned, or pinned."""
        if not self.every:
            slot = self._newest()
            return [] if slot < 0 else [slot]
        try:
            count = os.eventfd_read(self.forward)
        except BlockingIOError:
            return []
        read = self._read
        self._read = read + count
        return [self._box[index & _MASK] for index in range(read, read + count)]

    def give_back(self, slot: int) -> None:
        """Return a slot."""
        with self._lock:
            if self._closed:
                return
            told = self._told
            self._returned[told & _MASK] = slot
            self._told = told + 1
            owed = self._owed + 1
            if owed >= self._limit:
                os.eventfd_write(self._back, owed)
                owed = 0
            self._owed = owed

    @property
    def may_hold(self) -> bool:
        """Whether one more slot may be looked at in place."""
        return self._held < self._most

    def pin(self, slot: int, arrays: list[Any]) -> None:
        """Return a slot when the last of some arrays in it is gone."""
        with self._lock:
            self._held += 1
        # Were they known to their own callback alone, they would be a cycle: once collected, they would never tell.
        views = self._views[slot] = []
        for array in arrays:
            view = View(array, self._gone)
            view.slot = slot
            views.append(view)

    def _unpin(self, view: View) -> None:
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
        """Give the descriptors back; what is looked at stays valid."""
        with self._lock:
            self._closed = True
            self.ends.close()
