"""What a node gives in one step crosses as one bundle, so that a taker of several outputs never sees two steps mixed.

A slot holds the newest message of every output, each with the number and the time of the step that gave it. An output
that a step did not give is carried over: whoever passes over a bundle has lost nothing that the next one does not hold.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from embodied.errors import LinkFailed
from embodied.links.codec import Layout, Overflow
from embodied.links.ring import LARGE, Ends, Intake, Post, Ring, Window
from embodied.messages.schema import Message

OPEN = 32 * 1024
"""Room for arrays and texts whose size nobody stated, per bundle; it grows when a message needs more [B]."""

Taken = Callable[[int, Any, int, int], None]
"""(number of the output, message, stamp [ns], sequence)"""


@dataclass(slots=True)
class Frame:
    """The layout of a node's bundles: where each output and each area lies in a slot.

    Attributes:
        layouts: of the outputs, in the order of the ports.
        size: of a slot [B].
        end: of the layouts in it; behind are the areas [B].
    """

    layouts: tuple[Layout, ...]
    size: int
    end: int

    @classmethod
    def of(cls, layouts: Sequence[Layout], room: int = OPEN) -> Frame:
        """Lay out a slot."""
        end = _head(len(layouts)).size + sum(layout.size for layout in layouts)
        if any(layout.open for layout in layouts):
            end += room
        size = end = -(-end // 64) * 64
        for layout in layouts:
            for area in layout.areas.values():
                area.offset = size
                size += -(-area.size // 64) * 64
        if size >= LARGE:
            size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        return cls(tuple(layouts), size, end)


def _head(count: int) -> struct.Struct:
    # Where the layouts end, and for each output: sequence, stamp, where it begins.
    return struct.Struct("<q" + "qqq" * count)


class Outlet:
    """Where a node's outputs leave its process.

    Args:
        name: of the node.
        layouts: of its outputs, in the order of its ports.
        windows: of the subscribers that are known.
        wait: for room in a link that loses nothing: called with descriptors of which one becomes readable; False gives
            up, since the process is to stop.
        moved: called when messages outgrew the slots: everybody must subscribe anew, to the new ring.

    Attributes:
        room: for arrays and texts whose size nobody stated [B].
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
        self.room = OPEN
        self._count = len(layouts)
        head = _head(self._count)
        self._pack, self._unpack, self._head = head.pack_into, head.unpack_from, head.size
        self._build()

    def _build(self) -> None:
        self.frame = Frame.of(self._layouts, self.room)
        self.ring = Ring(self.name, self.frame.size, self._windows(self.frame.size))
        self._memory = self.ring.memory
        self._areas = [area for layout in self._layouts for area in layout.areas.values()]
        # What `empty` handed out in the slot that is being written, by area.
        self._claimed: list[Any] = [None] * len(self._areas)
        self._slot = -1
        self._writers = []
        first = 0
        for layout in self._layouts:
            self._writers.append(layout.writer(self._memory, self.frame.end, self._claimed, first))
            first += len(layout.areas)
        self._write = self._writers[0] if self._count == 1 else None

    def subscribe(self, ends: Ends, bound: int = 1, lossless: bool = False) -> Post:
        """Take on a subscriber; it gets the newest at once."""
        self._waits = self._waits or lossless
        return self.ring.subscribe(ends, bound, lossless)

    def publish(self, sequence: int, stamp: int, messages: Sequence[Message | None]) -> None:
        """Write a bundle and post it.

        Args:
            sequence: number of the step.
            stamp: when it was made [ns].
            messages: by output; None where the step gave nothing.

        Raises:
            WireError: a message does not fit its type.
            LinkFailed: it is larger than memory allows.
        """
        if self._waits and self._wait is not None:
            while pending := self.ring.full():
                if not self._wait(pending):
                    break
        if self._slot >= 0 and not self._all_given(messages):
            self._let_go()
        slot, self._slot = self._slot, -1
        made_here = slot >= 0
        if not made_here:
            slot = self.ring.claim()
        start = slot * self.frame.size
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
            self._let_go()
            if not isinstance(error, Overflow):
                raise
            self._grow(error.needed, sequence, stamp, messages)
            return
        if made_here:
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
        found: tuple[int, ...] = self._unpack(self._memory, self.ring.newest * self.frame.size)
        return found

    def _carry(self, index: int, before: tuple[int, ...], at: int, start: int) -> int:
        """Copy an output from the newest bundle; returns where it ends."""
        old = self.ring.newest * self.frame.size
        begin = before[3 * index + 3]
        later = [before[3 * i + 3] for i in range(index + 1, self._count) if before[3 * i + 1] >= 0]
        size = (later[0] if later else before[0]) - begin
        if at + size > start + self.frame.end:
            raise Overflow(at + size - start)
        self._memory[at : at + size] = self._memory[old + begin : old + begin + size]
        for area in self._layouts[index].areas.values():
            a, b = area.offset, area.offset + area.size
            self._memory[start + a : start + b] = self._memory[old + a : old + b]
        return at + size

    def _grow(self, needed: int, sequence: int, stamp: int, messages: Sequence[Message | None]) -> None:
        """Messages are larger than was thought: a new ring, to which the subscribers move."""
        old = self.ring
        self.room = max(2 * self.room, needed)
        self._build()
        for post in list(old.posts):
            old.unsubscribe(post)
        os.close(old.descriptor)
        self.publish(sequence, stamp, messages)
        if self._moved is None:
            raise LinkFailed(f"'{self.name}' gave a message of {needed} B, and nobody can move its subscribers")
        self._moved(self)

    @property
    def stated(self) -> bool:
        """Whether there are arrays of stated size that are worth making in place."""
        return bool(self._areas)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array in the slot that is written next, if an output states an array like that and has none yet.

        Returns:
            the array, or None.
        """
        for number, area in enumerate(self._areas):
            if area.shape == shape and area.dtype == dtype and self._claimed[number] is None:
                if self._slot < 0:
                    self._slot = self.ring.claim()
                array: Any = np.ndarray(shape, dtype, self._memory, self._slot * self.frame.size + area.offset)
                self._claimed[number] = array
                return array
        return None

    def _all_given(self, messages: Sequence[Message | None]) -> bool:
        """Whether every array that was made in the slot is in these messages; where not, it would be written over."""
        numbers = iter(self._claimed)
        for layout, message in zip(self._layouts, messages, strict=True):
            for name in layout.areas:
                array = next(numbers)
                if array is not None and getattr(message, name, None) is not array:
                    return False
        return True

    def _hold(self, slot: int) -> None:
        """Whoever made an array in a slot may look at it as long as it likes."""
        for number, array in enumerate(self._claimed):
            if array is not None:
                self.ring.hold(slot, array)
                self._claimed[number] = None

    def _let_go(self) -> None:
        """Publish the slot that arrays were made in no more; they stay as they are."""
        self._hold(self._slot)
        self.ring.drop(self._slot)
        self._slot = -1


class Inlet:
    """Where the outputs of a node of another process arrive.

    Args:
        layouts: of that node's outputs, in the order of its ports.
        wanted: numbers of the outputs that are taken here.
        size: of a slot [B], as the publisher laid it out.
        room: what the publisher reserved for open sizes [B].
        ring: descriptor of its memory.
        ends: of the subscription.
        bound: how many bundles wait.
        every: each of them is delivered, and not only the newest.
        room_for: for a link that loses nothing, how many more there is room for here.
    """

    def __init__(
        self,
        layouts: Sequence[Layout],
        wanted: Sequence[int],
        room: int,
        ring: int,
        ends: Ends,
        bound: int = 1,
        every: bool = False,
        room_for: Callable[[], int] | None = None,
    ) -> None:
        self._room_for = room_for
        self._waiting: list[int] = []
        frame = Frame.of(layouts, room)
        self.intake = Intake(ring, frame.size, ends, bound, every)
        self._frame = frame
        self._memory = self.intake.memory
        head = _head(len(layouts))
        self._unpack = head.unpack_from
        self._areas: Mapping[int, bool] = {index: bool(layouts[index].areas) for index in wanted}
        self._wanted = [(index, 3 * index + 1, layouts[index].reader()) for index in wanted]
        self._seen = dict.fromkeys(wanted, -1)
        self._viewing = any(self._areas.values())

    def receive(self, taken: Taken, vacate: Callable[[], None] | None = None) -> None:
        """Hand over what has arrived, oldest first.

        Args:
            taken: gets each message.
            vacate: lets go of what was handed over before, when it is held in place and stands in the way.
        """
        intake = self.intake
        if self._viewing and vacate is not None and not intake.may_hold:
            vacate()
        size = self._frame.size
        memory = self._memory
        slots = intake.take()
        if self._room_for is not None:
            # What there is no room for stays in the ring, unreturned, and so the publisher waits.
            waiting = self._waiting + slots
            room = self._room_for()
            slots, self._waiting = waiting[:room], waiting[room:]
        for slot in slots:
            start = slot * size
            head = self._unpack(memory, start)
            data = memory[start : start + head[0]]
            views: list[Any] | None = [] if self._viewing and intake.may_hold else None
            for index, place, read in self._wanted:
                sequence = head[place]
                if sequence > self._seen[index]:
                    self._seen[index] = sequence
                    message = read(data, head[place + 2], memory, start, views)
                    taken(index, message, head[place + 1], sequence)
            if views:
                intake.pin(slot, views)
            else:
                intake.give_back(slot)

    def handler(self, taken: Taken, vacate: Callable[[], None] | None = None) -> Callable[[], None]:
        """A function that hands over what has arrived, made for this link; see `receive`."""
        if len(self._wanted) > 1 or self._room_for is not None or self.intake.every:
            return lambda: self.receive(taken, vacate)
        ((index, place, read),) = self._wanted
        intake, viewing = self.intake, self._viewing
        take, give_back, pin = intake.newest(), intake.give_back, intake.pin
        unpack, memory, size, seen = self._unpack, self._memory, self._frame.size, self._seen

        def receive() -> None:
            if viewing and vacate is not None and not intake.may_hold:
                vacate()
            slot = take()
            if slot < 0:
                return
            start = slot * size
            head = unpack(memory, start)
            sequence = head[place]
            if sequence <= seen[index]:
                give_back(slot)
                return
            seen[index] = sequence
            views: list[Any] | None = [] if viewing and intake.may_hold else None
            message = read(memory[start + head[place + 2] : start + head[0]], 0, memory, start, views)
            if views:
                pin(slot, views)
                views = None
            else:
                give_back(slot)
            taken(index, message, head[place + 1], sequence)

        return receive
