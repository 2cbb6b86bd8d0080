from __future__ import annotations

import gc
import os
import resource
import select
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied import Time
from embodied.errors import LinkFailed
from embodied.links import memory
from embodied.links.channel import Inlet, Outlet
from embodied.links.codec import Layout
from embodied.links.ring import Ring
from embodied.links.ring_reader import RingReader
from embodied.links.subscription import Ends, Window
from embodied.messages import GripperState, Image, JointCommand, JointState
from embodied.messages.constraints import Refinement
from tests.processes import Child


class Subscriber:
    """Reads what a ring of numbers gives, as slowly as it likes."""

    def __init__(self, ring: Ring, bound: int = 1, every: bool = False, lossless: bool = False) -> None:
        ends = Ends.make("test")
        theirs = Ends(*map(os.dup, ends.all()))
        self.subscription = ring.subscribe(ends, bound, lossless)
        self.reader = RingReader(ring.descriptor, ring.size, theirs, bound, every)
        self.seen: list[int] = []
        self.held: list[int] = []

    def read(self, *, hold: bool = False) -> None:
        for slot in self.reader.take():
            self.seen.append(int.from_bytes(self.reader.memory[slot * self.reader.size :][:8], "little"))
            if hold and len(self.held) < self.reader._window.held:
                self.held.append(slot)
            else:
                self.reader.give_back(slot)

    def close(self) -> None:
        self.reader.close()
        self.subscription.close()

    def let_go(self) -> None:
        while self.held:
            self.reader.give_back(self.held.pop(0))


def publish(ring: Ring, number: int) -> None:
    slot = ring.claim()
    ring.memory[slot * ring.size : slot * ring.size + 8] = number.to_bytes(8, "little")
    ring.publish(slot)


@settings(max_examples=150)
@given(
    size=st.sampled_from([64, 300_000]),
    moves=st.lists(
        st.sampled_from(["publish", "read 0", "hold 0", "free 0", "read 1", "hold 1", "free 1"]), max_size=200
    ),
)
def test_the_newest_always_arrives_and_nothing_is_torn_or_comes_twice(size: int, moves: list[str]) -> None:
    ring = Ring("test", size, [Window.of(size)] * 2)
    subscribers = [Subscriber(ring), Subscriber(ring)]
    count = 0
    held: list[tuple[int, int]] = []
    for move in moves:
        if move == "publish":
            count += 1
            publish(ring, count)
            continue
        verb, _, index = move.partition(" ")
        subscriber = subscribers[int(index)]
        if verb == "free":
            subscriber.let_go()
        else:
            before = len(subscriber.held)
            subscriber.read(hold=verb == "hold")
            held += [(slot, subscriber.seen[-1]) for slot in subscriber.held[before:]]
        # What someone holds is never written over.
        for other in subscribers:
            for slot in other.held:
                number = next(n for s, n in reversed(held) if s == slot)
                assert int.from_bytes(ring.memory[slot * size : slot * size + 8], "little") == number
    for subscriber in subscribers:
        # The publisher is silent from here on, as if it were dead.
        subscriber.read()
        assert subscriber.seen == sorted(set(subscriber.seen))
        assert (subscriber.seen[-1:] or [0]) == [count]
        subscriber.close()
    os.close(ring.descriptor)


@settings(max_examples=200)
@given(bound=st.integers(1, 20), moves=st.lists(st.booleans(), max_size=120))
def test_every_message_arrives_in_order_and_only_the_oldest_beyond_the_bound_are_dropped(
    bound: int, moves: list[bool]
) -> None:
    ring = Ring("test", 64, [Window.of(64, bound)])
    subscriber = Subscriber(ring, bound, every=True)
    count = 0
    for publishes in moves:
        if publishes:
            count += 1
            publish(ring, count)
        else:
            subscriber.read()
    subscriber.read()
    assert subscriber.seen == sorted(set(subscriber.seen))
    assert len(subscriber.seen) + subscriber.subscription.dropped == count
    waiting = 0
    for publishes in moves:
        waiting = waiting + 1 if publishes else 0
        if waiting > bound:
            break
    else:
        assert subscriber.subscription.dropped == 0
    assert subscriber.seen[-min(bound, count) :] == list(range(count + 1 - min(bound, count), count + 1)) or count == 0
    subscriber.close()
    os.close(ring.descriptor)


def test_a_lossless_subscriber_makes_the_publisher_wait_and_loses_nothing() -> None:
    ring = Ring("test", 64, [Window.of(64, 4)])
    subscriber = Subscriber(ring, 4, every=True, lossless=True)
    count = 0
    while not ring.full():
        count += 1
        publish(ring, count)
    assert count >= 4
    (descriptor,) = ring.full()
    assert not select.select([descriptor], [], [], 0)[0]
    subscriber.read()
    assert select.select([descriptor], [], [], 0)[0], "room is told through the same descriptor"
    assert not ring.full()
    for _ in range(1000):
        if ring.full():
            subscriber.read()
        count += 1
        publish(ring, count)
    subscriber.read()
    assert subscriber.seen == list(range(1, count + 1))


def test_who_subscribes_late_gets_the_newest_at_once() -> None:
    ring = Ring("test", 64, [])
    for number in range(1, 50):
        publish(ring, number)
    late = Subscriber(ring)
    late.read()
    assert late.seen == [49]


def test_a_subscriber_that_is_gone_gives_back_what_it_held() -> None:
    ring = Ring("test", 300_000, [Window.of(300_000)])
    for _ in range(20):
        subscriber = Subscriber(ring)
        for number in range(5):
            publish(ring, number + 1)
            subscriber.read(hold=True)
        ring.unsubscribe(subscriber.subscription)
        subscriber.reader.close()
    assert sum(ring._uses) == 1, "only the newest is in use"


def test_a_subscriber_that_returns_what_it_has_not_got_is_believed_no_longer() -> None:
    ring = Ring("test", 64, [Window.of(64)] * 2)
    liar, other = Subscriber(ring), Subscriber(ring)
    for _ in range(8):
        liar.reader.give_back(ring.slots + 5)
    for number in range(200):
        publish(ring, number + 1)
        other.read()
    assert liar.subscription not in ring.subscriptions
    assert other.seen[-1] == 200


def test_memory_that_others_read_cannot_be_written_by_them() -> None:
    ring = Ring("test", 4096, [])
    view = memory.readable(ring.descriptor)
    with pytest.raises(TypeError, match=r"read-?only"):
        view[0] = 1
    with pytest.raises(PermissionError):
        memory.writable(ring.descriptor)
    with pytest.raises(PermissionError):
        os.ftruncate(ring.descriptor, 0)
    with pytest.raises(PermissionError):
        os.pwrite(ring.descriptor, b"x", 0)


def test_memory_that_the_machine_has_not_got_is_refused_with_figures() -> None:
    with pytest.raises(
        LinkFailed, match=r"'cam' needs 1,073,741,824\.0 MiB of shared memory, and [\d,.]+ MiB are free"
    ):
        memory.create("cam", 2**50)


def test_memory_beyond_the_limit_for_files_is_refused_with_figures() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(LinkFailed, match=r"'cam' needs 2\.0 MiB of shared memory, and 'ulimit -f' allows 1\.0 MiB"):
            memory.create("cam", 2 * 2**20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def bundle() -> list[Layout]:
    sizes = Refinement(sizes={"n": 3})
    return [Layout.of(JointState, sizes), Layout.of(GripperState), Layout.of(JointCommand, sizes)]


def test_an_output_that_a_step_did_not_give_is_still_there_for_who_missed_it() -> None:
    outlet = Outlet("arm", bundle(), lambda size: [Window.of(size)])
    ends = Ends.make("test")
    outlet.subscribe(ends)
    inlet = Inlet(bundle(), [0, 1, 2], outlet.open_size, outlet.ring.descriptor, ends)
    state = JointState(position=np.arange(3.0), velocity=np.zeros(3), acquired=Time(1))
    gripper = GripperState(width=0.1, speed=0.0, force=0.0, acquired=Time(1))
    command = JointCommand(position=np.ones(3))
    outlet.publish(0, 10, [state, gripper, command])
    outlet.publish(1, 20, [state, None, None])
    outlet.publish(2, 30, [state, gripper, None])
    got: list[Any] = []
    inlet.receive(lambda index, value, stamp, sequence: got.append((index, stamp, sequence)))
    assert got == [(0, 30, 2), (1, 30, 2), (2, 10, 0)]
    outlet.publish(3, 40, [state, None, None])
    got.clear()
    inlet.receive(lambda index, value, stamp, sequence: got.append((index, stamp, sequence)))
    assert got == [(0, 40, 3)], "what was carried over is not told twice"


def test_a_slot_that_was_looked_at_comes_back_though_garbage_was_collected_meanwhile() -> None:
    layouts = [Layout.of(Image, Refinement(sizes={"h": 60, "w": 120}))]
    outlet = Outlet("cam", layouts, lambda size: [Window.of(size)])
    ends = Ends.make("test")
    theirs = Ends(*map(os.dup, ends.all()))
    outlet.subscribe(ends)
    inlet = Inlet(layouts, [0], outlet.open_size, outlet.ring.descriptor, theirs)
    seen: list[Image] = []
    for number in range(3):
        outlet.publish(number, 0, [Image(data=np.full((60, 120, 3), number % 251, np.uint8), acquired=Time(0))])
        inlet.receive(lambda _, message, stamp, sequence: seen.append(message))
        gc.collect()
        assert seen.pop().data[0, 0, 0] == number % 251
        assert inlet.reader._held == 0


_READER = """
import os, select, sys
from embodied.links.channel import Inlet
from embodied.links.codec import Layout
from embodied.links.subscription import Ends
from embodied.messages import Image
from embodied.node.ports import Refinement
ring, room, *ends = map(int, sys.argv[1:])
h, w = 60, 120
inlet = Inlet([Layout.of(Image, Refinement(sizes={"h": h, "w": w}))], [0], room, ring, Ends(*ends))
last = count = told = 0
kept = []
def take(_, image, stamp, sequence):
    global last, count
    assert sequence > last, (sequence, last)
    values = set(image.data.reshape(-1).tolist())
    assert values == {sequence % 251}, (sequence, values)
    last, count = sequence, count + 1
    kept.append(image)
    del kept[:-2]
while select.select([inlet.reader.forward], [], [], 5)[0]:
    inlet.receive(take)
    if last == 20000:
        break
    if count == 1 and not told:
        told = True
        print("reading", flush=True)
print(last, count, flush=True)
"""


def test_under_a_flood_another_process_sees_whole_messages_in_order_and_the_last() -> None:
    refined = Refinement(sizes={"h": 60, "w": 120})
    outlet = Outlet("cam", [Layout.of(Image, refined)], lambda size: [Window.of(size)])
    ends = Ends.make("test")
    numbers = [outlet.ring.descriptor, *ends.all()]
    with Child(
        [sys.executable, "-c", _READER, str(numbers[0]), str(outlet.open_size), *map(str, numbers[1:])],
        pass_fds=numbers,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        outlet.subscribe(ends)
        outlet.publish(1, 0, [Image(data=np.full((60, 120, 3), 1, np.uint8), acquired=Time(0))])
        assert reader.stdout.readline() == "reading\n"
        for number in range(2, 20_001):
            outlet.publish(number, 0, [Image(data=np.full((60, 120, 3), number % 251, np.uint8), acquired=Time(0))])
        last, count = map(int, reader.communicate()[0].split())
    assert last == 20_000
    assert 1 < count <= 20_000


def test_what_a_publisher_posted_before_it_was_killed_is_still_read() -> None:
    ends = Ends.make("test")
    ours = Ends(*map(os.dup, ends.all()))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing but what the test is about happens here, and it ends by a signal.
        outlet = Outlet("arm", [Layout.of(GripperState)], lambda size: [Window.of(size, 64)])
        outlet.subscribe(ends, 64)
        for number in range(50):
            outlet.publish(number, 0, [GripperState(width=float(number), speed=0.0, force=0.0, acquired=Time(0))])
        os.write(writing, f"{outlet.ring.descriptor} {outlet.open_size}\n".encode())
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(1)
    ring, room = os.read(reading, 100).split()
    descriptor = os.open(f"/proc/{child}/fd/{int(ring)}", os.O_RDONLY)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    inlet = Inlet([Layout.of(GripperState)], [0], int(room), descriptor, ours, 64, True)
    got: list[float] = []
    inlet.receive(lambda *arrived: got.append(arrived[1].width))
    assert got == [float(number) for number in range(50)]
    for open_one in (reading, writing, descriptor):
        os.close(open_one)
