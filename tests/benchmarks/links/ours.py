"""Our link alone: a typed message in, a typed message out, over the ring that the live runner uses."""

from __future__ import annotations

import select
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embodied.links.channel import Inlet, Outlet
from embodied.links.codec import Layout
from embodied.links.subscription import Ends, Window
from embodied.messages.constraints import Refinement
from embodied.messages.schema import schema
from tests.benchmarks.links.handover import give, take
from tests.benchmarks.links.lines import Peer
from tests.benchmarks.links.loads import Load

COPIED = Peer("embodied link", f"{__name__}:Endpoint", "embodied")
IN_PLACE = Peer("embodied link, in place", f"{__name__}:Endpoint", "embodied", in_place=True, smallest=64 * 1024)


def layout(load: Load) -> Layout:
    """Where its fields lie, with the sizes that a node's ports would state."""
    return Layout.of(load.kind, stated(load))


def stated(load: Load) -> Refinement:
    """The sizes of its arrays."""
    array = next(field.array for field in schema(load.kind) if field.array is not None)
    return Refinement(sizes={d: s for d, s in zip(array.shape, load.shape, strict=True) if isinstance(d, str)})


class Endpoint:
    """One process: a ring per kind of message and direction."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        self._folder, self._number, self._takers = folder, number, takers
        self._out, self._in = ("there", "back") if number == 0 else ("back", "there")

    def _path(self, lane: str, load: Load) -> Path:
        return self._folder / f"{lane}{load.size}"

    def sender(self, load: Load) -> Sender:
        """The ring, of which every taker gets a subscription."""
        takers = self._takers if self._number == 0 else 1
        outlet = Outlet(load.name, [layout(load)], lambda size: [Window.of(size)] * takers)
        ends = [Ends.make(load.name) for _ in range(takers)]
        for each in ends:
            outlet.subscribe(each)
        give(self._path(self._out, load), [[outlet.ring.descriptor, *each.all()] for each in ends])
        return Sender(outlet, load)

    def receiver(self, load: Load) -> Receiver:
        """A subscription."""
        number = self._number if self._number else 1
        ring, *ends = take(self._path(self._in, load), number, 5)
        return Receiver(load, ring, ends)

    def close(self) -> None:
        """Nothing of it has a name."""


class Sender:
    """Publishes."""

    def __init__(self, outlet: Outlet, load: Load) -> None:
        self._publish = outlet.publish
        self._empty = outlet.empty
        self._load = load
        self._sequence = 0

    def send(self, message: Any) -> None:
        """Send one."""
        self._sequence += 1
        self._publish(self._sequence, 0, (message,))

    def fresh(self) -> Any:
        """A message in the slot that is written next."""
        (name,) = self._load.fields
        return self._load.kind(**{name: self._empty(self._load.shape, self._load.dtype)}, acquired=0)


class Receiver:
    """Waits as the loop of a process does, and takes the newest."""

    def __init__(self, load: Load, ring: int, ends: Sequence[int]) -> None:
        inlet = Inlet([layout(load)], [0], 32 * 1024, ring, Ends(*ends))
        self._poll = select.epoll()
        self._poll.register(inlet.reader.forward, select.EPOLLIN)
        self._take = inlet.handler(self._taken)
        self._message: Any = None

    def _taken(self, index: int, message: Any, stamp: int, sequence: int) -> None:
        self._message = message

    def recv(self) -> Any:
        """Wait for one."""
        poll, take = self._poll.poll, self._take
        while self._message is None:
            poll()
            take()
        message, self._message = self._message, None
        return message
