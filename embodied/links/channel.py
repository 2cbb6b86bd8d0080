"""Channel between two processes: the outputs of a node's step cross as one bundle, so steps are never mixed.

A slot holds the newest message of every output, each with the number and the time of its step. An output that a step
did not publish is carried over, so a subscriber that passes over a bundle finds everything in the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from embodied.errors import LinkFailed
from embodied.links.bundle import OPEN, BundleLayout, head_format
from embodied.links.codec import Layout, Overflow
from embodied.links.ring import Ring
from embodied.links.ring_reader import RingReader
from embodied.links.subscription import Ends, SlotSubscription, Window
from embodied.messages.schema import Message

Taken = Callable[[int, Any, int, int], None]
"""Callback of a delivery: (number of the output, message, stamp [ns], sequence)."""


class Outlet:
    """Publishing end of a channel between processes: writes the outputs of one node.

    Args:
        name: of the node.
        layouts: of its outputs, in the order of its ports.
        windows: of the subscribers in the graph, for a size of a slot [B].
        moved: called when messages outgrew the slots, so that every subscriber moves to the new ring.
        wait: called when a lossless link is full, with descriptors of which one becomes readable; returns False to give
            up, since the process is to stop.

    Attributes:
        open_size: memory per bundle for arrays and texts whose size no port states [B].
    """

    def __init__(
        self,
        name: str,
        layouts: Sequence[Layout],
        windows: Callable[[int], Sequence[Window]],
        moved: Callable[[Outlet], None] | None = None,
        wait: Callable[[list[int]], bool] | None = None,
    ) -> None:
        self.name = name
        self._wait = wait
        self._waits = False
        self._layouts = layouts
        self._windows = windows
        self._moved = moved
        self.open_size = OPEN
        self._count = len(layouts)
        head = head_format(self._count)
        self._pack, self._unpack, self._head = head.pack_into, head.unpack_from, head.size
        self._build()

    def _build(self) -> None:
        self.layout = BundleLayout.of(self._layouts, self.open_size)
        self.ring = Ring(self.name, self.layout.size, self._windows(self.layout.size))
        self._memory = self.ring.memory
        self._areas = [area for layout in self._layouts for area in layout.areas.values()]
        # Arrays that `empty` handed out in the slot that is being written, by area.
        self._claimed: list[Any] = [None] * len(self._areas)
        self._slot = -1
        self._writers = []
        first = 0
        for layout in self._layouts:
            self._writers.append(layout.writer(self._memory, self.layout.end, self._claimed, first))
            first += len(layout.areas)
        self._write = self._writers[0] if self._count == 1 else None

    def subscribe(self, ends: Ends, bound: int = 1, lossless: bool = False) -> SlotSubscription:
        """Add a subscriber; it gets the newest bundle at once.

        Args:
            ends: descriptors of the subscription.
            bound: number of unread bundles that stay when the window is full.
            lossless: the publisher waits rather than take back unread bundles.
        """
        self._waits = self._waits or lossless
        return self.ring.subscribe(ends, bound, lossless)

    def publish(self, sequence: int, stamp: int, messages: Sequence[Message | None]) -> None:
        """Write a bundle and post it.

        Args:
            sequence: number of the step.
            stamp: time of the step [ns].
            messages: by output; None where the step published nothing.

        Raises:
            WireError: a message does not fit its type.
            LinkFailed: a message is larger than memory allows.
        """
        if self._waits and self._wait is not None:
            while pending := self.ring.full():
                if not self._wait(pending):
                    break
        if self._slot >= 0 and not self._uses_claimed(messages):
            self._abandon()
        slot, self._slot = self._slot, -1
        in_place = slot >= 0
        if not in_place:
            slot = self.ring.claim()
        start = slot * self.layout.size
        try:
            if self._write is not None:
                at = start + self._head
                self._pack(
                    self._memory, start, self._write(messages[0], at, start) - start, sequence, stamp, self._head
                )
            else:
                self._bundle(start, sequence, stamp, messages)
        except BaseException as error:
            self._slot = slot
            self._abandon()
            if not isinstance(error, Overflow):
                raise
            self._grow(error.needed, sequence, stamp, messages)
            return
        if in_place:
            self._hold(slot)
        self.ring.publish(slot)

    def _bundle(self, start: int, sequence: int, stamp: int, messages: Sequence[Message | None]) -> None:
        at = start + self._head
        head: list[int] = [0]
        before = self._newest()
        for index, message in enumerate(messages):
            if message is not None:
                head += (sequence, stamp, at - start)
                at = self._writers[index](message, at, start)
            elif before is not None and before[3 * index + 1] >= 0:
                head += (before[3 * index + 1], before[3 * index + 2], at - start)
                at = self._carry(index, before, at, start)
            else:
                head += (-1, 0, 0)
        head[0] = at - start
        self._pack(self._memory, start, *head)

    def _newest(self) -> tuple[int, ...] | None:
        if self.ring.newest < 0:
            return None
        head: tuple[int, ...] = self._unpack(self._memory, self.ring.newest * self.layout.size)
        return head

    def _carry(self, index: int, before: tuple[int, ...], at: int, start: int) -> int:
        """Copy an output from the newest bundle, and return the offset of its end."""
        old = self.ring.newest * self.layout.size
        begin = before[3 * index + 3]
        later = [before[3 * i + 3] for i in range(index + 1, self._count) if before[3 * i + 1] >= 0]
        size = (later[0] if later else before[0]) - begin
        if at + size > start + self.layout.end:
            raise Overflow(at + size - start)
        self._memory[at : at + size] = self._memory[old + begin : old + begin + size]
        for area in self._layouts[index].areas.values():
            a, b = area.offset, area.offset + area.size
            self._memory[start + a : start + b] = self._memory[old + a : old + b]
        return at + size

    def _grow(self, needed: int, sequence: int, stamp: int, messages: Sequence[Message | None]) -> None:
        """Replace the ring by one with larger slots, to which all subscribers move, and publish there."""
        old = self.ring
        self.open_size = max(2 * self.open_size, needed)
        self._build()
        for subscription in list(old.subscriptions):
            old.unsubscribe(subscription)
        os.close(old.descriptor)
        self.publish(sequence, stamp, messages)
        if self._moved is None:
            raise LinkFailed(
                f"'{self.name}' published {needed} B, too large for its slots, and cannot move its subscribers"
            )
        self._moved(self)

    @property
    def stated(self) -> bool:
        """Whether there are arrays of stated size that are worth creating in place."""
        return bool(self._areas)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Create an array in the slot that is written next, if an output states such an array and has none yet.

        Args:
            shape: of the array.
            dtype: of the array.

        Returns:
            the array, or None.
        """
        for number, area in enumerate(self._areas):
            if area.shape == shape and area.dtype == dtype and self._claimed[number] is None:
                if self._slot < 0:
                    self._slot = self.ring.claim()
                array: Any = np.ndarray(shape, dtype, self._memory, self._slot * self.layout.size + area.offset)
                self._claimed[number] = array
                return array
        return None

    def _uses_claimed(self, messages: Sequence[Message | None]) -> bool:
        """Return whether every array in the claimed slot is part of these messages; any other would be overwritten."""
        numbers = iter(self._claimed)
        for layout, message in zip(self._layouts, messages, strict=True):
            for name in layout.areas:
                array = next(numbers)
                if array is not None and getattr(message, name, None) is not array:
                    return False
        return True

    def _hold(self, slot: int) -> None:
        """Hold a slot for as long as the node refers to an array in it."""
        for number, array in enumerate(self._claimed):
            if array is not None:
                self.ring.hold(slot, array)
                self._claimed[number] = None

    def _abandon(self) -> None:
        """Give up the claimed slot without publishing it; arrays in it stay as they are."""
        self._hold(self._slot)
        self.ring.drop(self._slot)
        self._slot = -1


class Inlet:
    """Subscribing end of a channel between processes: reads the outputs of a node of another one.

    Args:
        layouts: of that node's outputs, in the order of its ports.
        wanted: numbers of the outputs to read.
        open_size: memory per bundle that the publisher reserved for open sizes [B].
        ring: descriptor of the ring's memory.
        ends: descriptors of the subscription.
        bound: number of unread bundles that stay when the window is full.
        every: deliver every bundle, not only the newest.
        capacity: returns how many more bundles fit into the queue of a lossless link; None for other links.
    """

    def __init__(
        self,
        layouts: Sequence[Layout],
        wanted: Sequence[int],
        open_size: int,
        ring: int,
        ends: Ends,
        bound: int = 1,
        every: bool = False,
        capacity: Callable[[], int] | None = None,
    ) -> None:
        self._capacity = capacity
        self._waiting: list[int] = []
        layout = BundleLayout.of(layouts, open_size)
        self.reader = RingReader(ring, layout.size, ends, bound, every)
        self._layout = layout
        self._memory = self.reader.memory
        head = head_format(len(layouts))
        self._unpack = head.unpack_from
        self._areas: Mapping[int, bool] = {index: bool(layouts[index].areas) for index in wanted}
        self._wanted = [(index, 3 * index + 1, layouts[index].reader()) for index in wanted]
        self._seen = dict.fromkeys(wanted, -1)
        self._viewing = any(self._areas.values())

    def receive(self, taken: Taken, vacate: Callable[[], None] | None = None) -> None:
        """Deliver the bundles that have arrived, oldest first.

        Args:
            taken: called with each message.
            vacate: called to drop earlier messages when their arrays occupy all slots that may be used in place.
        """
        reader = self.reader
        if self._viewing and vacate is not None and not reader.may_hold:
            vacate()
        size = self._layout.size
        memory = self._memory
        slots = reader.take()
        if self._capacity is not None:
            # Bundles that do not fit stay in the ring, unreturned, and so the publisher waits.
            waiting = self._waiting + slots
            count = self._capacity()
            slots, self._waiting = waiting[:count], waiting[count:]
        for slot in slots:
            start = slot * size
            if start + size > len(memory):
                reader.refuse(slot)
                continue
            head = self._unpack(memory, start)
            data = memory[start : start + head[0]]
            views: list[Any] | None = [] if self._viewing and reader.may_hold else None
            for index, place, read in self._wanted:
                sequence = head[place]
                if sequence > self._seen[index]:
                    try:
                        message = read(data, head[place + 2], memory, start, views)
                    except Exception:
                        # What a publisher with damaged memory has written can make any function that reads it raise.
                        reader.skipped += 1
                        continue
                    self._seen[index] = sequence
                    taken(index, message, head[place + 1], sequence)
            if views:
                reader.pin(slot, views)
            else:
                reader.give_back(slot)

    def handler(self, taken: Taken, vacate: Callable[[], None] | None = None) -> Callable[[], None]:
        """Create a function that delivers what has arrived, specialised for this link; see `receive`.

        Args:
            taken: called with each message.
            vacate: called to drop earlier messages.
        """
        if len(self._wanted) > 1 or self._capacity is not None or self.reader.every:
            return lambda: self.receive(taken, vacate)
        ((index, place, read),) = self._wanted
        reader, viewing = self.reader, self._viewing
        take, give_back, pin = reader.newest(), reader.give_back, reader.pin
        unpack, memory, size, seen = self._unpack, self._memory, self._layout.size, self._seen

        def receive() -> None:
            if viewing and vacate is not None and not reader.may_hold:
                vacate()
            slot = take()
            if slot < 0:
                return
            start = slot * size
            views: list[Any] | None = [] if viewing and reader.may_hold else None
            try:
                head = unpack(memory, start)
                sequence = head[place]
                if sequence <= seen[index]:
                    give_back(slot)
                    return
                message = read(memory[start + head[place + 2] : start + head[0]], 0, memory, start, views)
            except Exception:
                # What a publisher with damaged memory has written can make any function that reads it raise.
                reader.refuse(slot)
                return
            seen[index] = sequence
            if views:
                pin(slot, views)
                views = None
            else:
                give_back(slot)
            taken(index, message, head[place + 1], sequence)

        return receive
