"""Fuzzer of rings in shared memory: either end may write anything into what both see, and the other goes on.

An input is a row of writes and turns: what is written, where, and which end has its turn.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from embodied.links import memory
from embodied.links.channel import Inlet, Outlet
from embodied.links.codec import Layout
from embodied.links.subscription import MASK, Ends, Window
from embodied.messages import JointState
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Message
from tests.embodied.live.nodes import Count
from tests.fuzz.harness import Kind

RECORD = struct.Struct("<BII")
"""Layout of one write or turn: what it is, where, value."""

TURNS_MOST = 400
"""Largest number of writes and turns of one input."""

LAYOUTS: tuple[tuple[type[Message], Refinement], ...] = ((Count, Refinement()), (JointState, Refinement({"n": 6})))
"""Outputs of the node."""


def layouts() -> list[Layout]:
    return [Layout.of(kind, refined, "node.port") for kind, refined in LAYOUTS]


def messages(number: int) -> list[Message | None]:
    joints = np.full(6, float(number))
    state = JointState(position=joints, velocity=joints.copy(), acquired=number)  # type: ignore[arg-type]
    return [Count(number=number, squares=joints[: number % 4].copy(), text="é" * (number % 3)), state]


class Publisher:
    """Node that publishes, and ends of subscriptions to it."""

    def __init__(self) -> None:
        self.outlet = Outlet("node", layouts(), lambda size: [Window.of(size)], moved=lambda _: None)
        self.number = 0

    def publish(self) -> None:
        self.number += 1
        self.outlet.publish(self.number, self.number, messages(self.number))

    def subscribe(self, single: bool) -> tuple[Any, Inlet, list[Any]]:
        """Return a subscription, the subscriber's end of it, and what has arrived there."""
        ends = Ends.make("link")
        theirs = Ends(*map(os.dup, ends.all()))
        wanted = [1] if single else [0, 1]
        post = self.outlet.subscribe(ends)
        inlet = Inlet(layouts(), wanted, self.outlet.open_size, self.outlet.ring.descriptor, theirs)
        return post, inlet, []


@cache
def publisher() -> Publisher:
    return Publisher()


def read(data: bytes, folder: Path) -> str:
    """Let both ends of a link write anything; then a good subscriber gets what is published next."""
    one = publisher()
    single = bool(data[:1] < b"\x80")
    post, inlet, arrived = one.subscribe(single)
    receive = inlet.handler(lambda index, message, stamp, sequence: arrived.append(message))
    box, forward, back = post.box, post.ends.forward, post.ends.back
    returned = memoryview(memory.writable(post.ends.returned)).cast("I")
    shared = one.outlet.ring.memory
    for number, (what, at, value) in enumerate(RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size])):
        if number == TURNS_MOST or post not in one.outlet.ring.subscriptions:
            break
        match what % 7:
            case 0:
                place = at % (len(shared) - 4)
                shared[place : place + 4] = value.to_bytes(4, "little")
            case 1:
                box[at & MASK] = value
            case 2:
                returned[at & MASK] = value
            case 3:
                with suppress(BlockingIOError):
                    # The greatest number cannot be written to an eventfd (eventfd(2)).
                    os.eventfd_write(forward, min(value | at << 32 if at & 1 else value, (1 << 64) - 2))
            case 4:
                with suppress(BlockingIOError):
                    os.eventfd_write(back, value)
            case 5:
                one.publish()
            case _:
                receive()
    if post in one.outlet.ring.subscriptions:
        receive()
        one.outlet.ring.unsubscribe(post)
    inlet.reader.close()
    good, theirs, seen = one.subscribe(single=False)
    one.publish()
    theirs.receive(lambda index, message, stamp, sequence: seen.append(message))
    assert [type(message) for message in seen[-2:]] == [kind for kind, _ in LAYOUTS]
    assert seen[-1].position.tolist() == [float(one.number)] * 6
    assert seen[-2].number == one.number
    one.outlet.ring.unsubscribe(good)
    theirs.reader.close()
    return ""


def examples() -> list[bytes]:
    def turns(*records: tuple[int, int, int]) -> bytes:
        return b"".join(RECORD.pack(*record) for record in records)

    plain = [(5, 0, 0), (6, 0, 0)] * 4
    return [
        turns(*plain),
        turns(*plain, (0, 8, 5), (5, 0, 0), (1, 0, 1 << 30), (6, 0, 0)),
        b"\x83" + turns((5, 0, 0), (3, 0, 2), (6, 0, 0), (2, 0, 77), (4, 0, 1), (5, 0, 0))[1:],
    ]


KIND = Kind(
    name="ring",
    examples=examples,
    words=(
        *(RECORD.pack(5, 0, 0), RECORD.pack(6, 0, 0), RECORD.pack(3, 1, 2**31), RECORD.pack(4, 0, 9)),
        *(RECORD.pack(1, 0, 2**32 - 1), RECORD.pack(0, 24, 2**31), RECORD.pack(2, 0, 2**32 - 1), b"\xff\xff\xff\x7f"),
    ),
    read=read,
    modules=("embodied.links",),
)
