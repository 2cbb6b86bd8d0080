"""Ring of slots in shared memory: one process writes, others read, and the newest message always arrives.

The publisher owns the slots and counts the users of each. A subscription is a box of slot numbers, written by the
publisher, and a list of returned slots, written by the subscriber; two eventfd counters tell how far either has come.
Both counters cross the kernel, so memory ordering never depends on the processor.

A full window is cleared by taking back unread slots: the publisher reads the subscriber's own counter, which tells,
atomically, how many posts the subscriber can no longer see. So the newest is posted even when the subscriber sleeps,
and it stays there when the publisher falls silent or dies. A publisher never waits.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from typing import Any

from embodied.errors import LinkFailed
from embodied.links import memory
from embodied.links.slot_view import SlotView
from embodied.links.subscription import ENTRIES, LARGE, MASK, Ends, SlotSubscription, Window

OBSERVERS = 2
"""Number of subscribers beyond those of the graph that slots are reserved for: `topic echo` and the like."""


class Ring:
    """Ring of slots, publisher's side: a pool of slots, each with a count of its users.

    Args:
        name: of the node, for errors.
        size: of one slot [B].
        windows: of the subscribers in the graph.
        observers: number of further subscribers that slots are reserved for.

    Attributes:
        memory: the mapping; slot n is at `n * size`.
        newest: the slot that was published last, -1 before the first.
        subscriptions: of the present subscribers.
    """

    def __init__(self, name: str, size: int, windows: Iterable[Window], observers: int = OBSERVERS) -> None:
        self.name = name
        self.size = size
        window = Window.of(size)
        # One more slot is the newest, and one is being written.
        self.slots = sum(w.posts for w in windows) + observers * window.posts + 2
        self.descriptor = memory.create(name, memory.page(self.slots * size))
        self.memory = memory.writable(self.descriptor)
        memory.seal(self.descriptor)
        self.newest = -1
        self.subscriptions: list[SlotSubscription] = []
        self._uses = [0] * self.slots
        self._free = list(range(self.slots))
        self._later: deque[int] = deque()
        self._held: dict[int, SlotView] = {}
        self._gone = self._unhold

    def claim(self) -> int:
        """Return a free slot to write.

        Raises:
            LinkFailed: subscribers hold all slots, beyond their windows.
        """
        while self._later:
            self._release((self._later.popleft(),))
        if self.size >= LARGE:
            # The slot returned last is still in the cache: written next, it saves a pass through memory.
            for subscription in self.subscriptions:
                self._release(subscription.credits())
        if not self._free:
            for subscription in self.subscriptions:
                self._release(subscription.collect(subscription.bound))
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
        for subscription in self.subscriptions:
            if len(subscription.flight) >= subscription.window:
                self._release(subscription.collect(subscription.bound - 1))
            if subscription.broken or len(subscription.flight) >= subscription.window:
                broken = broken or subscription.broken
                subscription.skipped += 1
                continue
            uses[slot] += 1
            subscription.box[subscription.written & MASK] = slot
            subscription.written += 1
            subscription.flight[slot] = None
            eventfd_write(subscription.forward, 1)
        if broken:
            # It returned slots that it does not have, so nothing else it writes can be trusted either.
            for subscription in [subscription for subscription in self.subscriptions if subscription.broken]:
                self.unsubscribe(subscription)
        if old >= 0:
            uses[old] -= 1
            if not uses[old]:
                self._free.append(old)

    def full(self) -> list[int]:
        """Return descriptors that become readable once every lossless subscriber has a free slot in its window."""
        descriptors = []
        for subscription in self.subscriptions:
            if subscription.lossless and len(subscription.flight) >= subscription.window:
                self._release(subscription.collect(ENTRIES))
                if len(subscription.flight) >= subscription.window:
                    descriptors.append(subscription.ends.back)
        return descriptors

    def hold(self, slot: int, array: Any) -> None:
        """Keep a slot from being overwritten while code in this process refers to an array in it."""
        self._uses[slot] += 1
        view = SlotView(array, self._gone)
        view.slot = slot
        self._held[id(view)] = view

    def drop(self, slot: int) -> None:
        """Undo the claim of a slot."""
        self._later.append(slot)

    def _unhold(self, view: SlotView) -> None:
        # Runs in any thread: the last reference to an array may be dropped in any.
        self._later.append(view.slot)
        del self._held[id(view)]

    def subscribe(self, ends: Ends, bound: int = 1, lossless: bool = False) -> SlotSubscription:
        """Add a subscriber; it gets the newest slot at once.

        Args:
            ends: descriptors of the subscription.
            bound: number of unread messages that stay when the window is full.
            lossless: the publisher waits rather than take back unread slots.
        """
        subscription = SlotSubscription(ends, Window.of(self.size, bound), bound, lossless)
        self.subscriptions.append(subscription)
        if self.newest >= 0:
            self._uses[self.newest] += 1
            subscription.box[0] = self.newest
            subscription.written = 1
            subscription.flight[self.newest] = None
            os.eventfd_write(subscription.forward, 1)
        return subscription

    def unsubscribe(self, subscription: SlotSubscription) -> None:
        """Remove a subscriber, and free all slots that it held."""
        self.subscriptions.remove(subscription)
        self._release(subscription.abandon())
        subscription.close()

    def _release(self, slots: Iterable[int]) -> None:
        uses = self._uses
        for slot in slots:
            uses[slot] -= 1
            if not uses[slot]:
                self._free.append(slot)
