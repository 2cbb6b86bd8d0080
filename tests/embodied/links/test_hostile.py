"""Whatever comes over the wire, neither end breaks, grows or believes it."""

from __future__ import annotations

import resource
import socket
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zmq.utils import z85

from embodied.graph.endpoint import Endpoint
from embodied.links import tcp
from embodied.links.frames import MAX_CREDIT, Ask, Head, read
from embodied.links.keys import Keys
from embodied.links.receiver import AHEAD, Receiver
from embodied.links.sender import SUBSCRIBERS_MOST, Sender
from tests.embodied.links.machines import Cell, free_endpoint

MANY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    with zmq.Context() as made:
        yield made
        made.destroy(linger=0)


class Giver:
    """A machine that has the key that is pinned, and sends what it likes."""

    def __init__(self, context: zmq.Context[Any], endpoint: Endpoint, keys: Keys) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        tcp.set_keys(self.socket, keys)
        self.socket.setsockopt(zmq.CURVE_SERVER, 1)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.bind(str(endpoint))
        self.taker = b""

    def meet(self, cell: Cell, epoch: int, welcome: int = 0) -> None:
        """Let the taker in, and wait until it has asked for something."""
        said = b"more of what it asked before"
        while said:
            cell.until(lambda: self.socket.poll(0))
            self.taker, said = self.socket.recv_multipart()
        self.send(b"", Head(epoch, welcome, 0, 0, 0).pack())
        cell.until(lambda: self.socket.poll(0))

    def asks(self) -> list[Ask]:
        found = []
        while self.socket.poll(0):
            found.append(Ask.of(self.socket.recv_multipart()[1]))
        return found

    def send(self, *frames: bytes) -> None:
        self.socket.send_multipart((self.taker, *frames))

    def message(self, number: int, epoch: int = 1, topic: bytes = b"state") -> None:
        self.send(topic, Head(epoch, number, number, 0, 0).pack(), b"part")


@pytest.fixture
def giver(context: zmq.Context[Any], arm: Keys, base: Keys, cell: Cell) -> tuple[Giver, Receiver]:
    free = free_endpoint()
    made = Giver(context, free, arm)
    rx = cell.receiver(free, "arm", base, state=None, hits=100)
    made.meet(cell, epoch=1)
    return made, rx


def numbers(cell: Cell, rx: Receiver) -> list[int]:
    return [arrival.sequence for arrival in cell.at(rx)]


def test_what_is_replayed_or_out_of_order_or_of_another_epoch_is_counted_and_dropped(
    giver: tuple[Giver, Receiver], cell: Cell
) -> None:
    other, rx = giver
    sent = [(0, 1), (1, 1), (1, 1), (0, 1), (5, 1), (4, 1), (6, 2), (6, 1)]
    for number, epoch in sent:
        other.message(number, epoch, b"hits")
    other.message(7, 1, b"unheard")
    other.message(9, 1, b"hits")
    cell.until(lambda: numbers(cell, rx)[-1:] == [9])
    assert numbers(cell, rx) == [0, 1, 5, 6, 9]
    assert rx.refused == {"a number that does not grow": 3, "another epoch": 1, "an unknown topic": 1}
    assert rx.skipped == {"hits": 3 + 2}


def test_an_epoch_that_has_passed_does_not_come_back(giver: tuple[Giver, Receiver], cell: Cell) -> None:
    other, rx = giver
    other.message(10)
    other.send(b"", Head(2, 1, 0, 0, 0).pack())
    cell.until(lambda: other.socket.poll(0) and any(ask.welcome == 1 for ask in other.asks()))
    other.message(0, epoch=2)
    cell.until(lambda: numbers(cell, rx) == [10, 0])
    other.send(b"", Head(1, 2, 0, 0, 0).pack())
    other.message(11, epoch=1)
    other.message(1, epoch=2)
    cell.until(lambda: numbers(cell, rx) == [10, 0, 1])
    assert rx.refused == {"an epoch that has passed": 1, "another epoch": 1}


def test_more_than_was_asked_for_is_dropped(giver: tuple[Giver, Receiver], cell: Cell) -> None:
    other, rx = giver
    asked = {(ask.topic, ask.mode, ask.credit) for ask in other.asks()}
    wanted = {("state", "latest", AHEAD), ("hits", "every", 100)}

    def complete() -> bool:
        asked.update((ask.topic, ask.mode, ask.credit) for ask in other.asks())
        return asked == wanted

    cell.until(complete)
    for number in range(1000):
        other.message(number)
    cell.until(lambda: rx.received["state"] + rx.skipped["state"] + rx.refused["more than was asked for"] >= 1000)
    assert rx.refused["more than was asked for"] > 0


FRAMES = st.lists(st.binary(max_size=60), max_size=6)


@MANY
@given(sent=st.lists(FRAMES, min_size=1, max_size=8))
def test_malformed_frames_are_counted_and_the_next_message_arrives(
    sent: list[list[bytes]], giver: tuple[Giver, Receiver], cell: Cell
) -> None:
    other, rx = giver
    last = cell.at(rx)[-1].sequence if cell.at(rx) else 0
    for frames in sent:
        other.send(*(frames or [b""]))
        head = Head(1, last + 1, last + 1, 0, 0).pack()
        other.send(b"state", head[: len(frames)] if frames else head[:-1], *frames)
    other.message(last + 1)
    cell.until(lambda: numbers(cell, rx)[-1:] == [last + 1])
    assert sum(rx.refused.values()) > 0
    cell.until(lambda: rx.connected)


def test_a_frame_that_is_too_large_is_never_taken_in(giver: tuple[Giver, Receiver], cell: Cell) -> None:
    other, rx = giver
    other.send(b"state", Head(1, 0, 0, 0, 0).pack(), bytes(tcp.MAX_SIZE + 1024))
    cell.until(lambda: not rx.connected)
    # It is connected to again, as to a machine that has come back.
    other.meet(cell, epoch=1, welcome=1)
    other.message(3)
    cell.until(lambda: numbers(cell, rx) == [3])


def resident() -> int:
    """Memory of this process [B]."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()


class Taker:
    """A machine whose key is allowed, and that asks what it likes."""

    def __init__(self, context: zmq.Context[Any], endpoint: Endpoint, keys: Keys, server: Keys) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        tcp.set_keys(self.socket, keys)
        self.socket.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(server.public()))
        self.socket.setsockopt(zmq.PROBE_ROUTER, 1)
        self.socket.connect(str(endpoint))

    def welcome(self, cell: Cell) -> Head:
        cell.until(lambda: self.socket.poll(0))
        return read([memoryview(frame) for frame in self.socket.recv_multipart()])[1]

    def topics(self) -> list[bytes]:
        found = []
        while self.socket.poll(0):
            found.append(self.socket.recv_multipart()[0])
        return [topic for topic in found if topic]


@pytest.fixture
def taker(context: zmq.Context[Any], arm: Keys, base: Keys, cell: Cell) -> tuple[Taker, Sender]:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    return Taker(context, free, base, arm), tx


ODD = st.builds(
    Ask,
    st.sampled_from(["state", "unheard", "s"]),
    st.sampled_from(["latest", "every"]),
    st.integers(1, MAX_CREDIT),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
)


@MANY
@given(asked=st.lists(st.lists(st.binary(max_size=80), min_size=1, max_size=4) | ODD, min_size=1, max_size=8))
def test_questions_that_make_no_sense_are_counted_and_the_next_is_answered(
    asked: list[list[bytes] | Ask], taker: tuple[Taker, Sender], cell: Cell
) -> None:
    other, tx = taker
    tx.send("state", 0, 0, b"now")
    for ask in asked:
        other.socket.send_multipart([ask.pack()] if isinstance(ask, Ask) else ask)
    other.socket.send(b"")

    def answered() -> bool:
        while other.socket.poll(0):
            topic, head = read([memoryview(frame) for frame in other.socket.recv_multipart()])
            if topic:
                return True
            other.socket.send(Ask("state", "latest", 1, head.number, 0, 0).pack())
        return False

    cell.until(answered)


def test_one_key_holds_no_more_than_a_bounded_number_of_subscribers(
    context: zmq.Context[Any], arm: Keys, base: Keys, cell: Cell
) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    others = []

    def reached(count: int) -> bool:
        return tx.subscribers("state") == count

    for number in range(SUBSCRIBERS_MOST + 3):
        other = Taker(context, free, base, arm)
        others.append(other)
        other.socket.send(Ask("state", "latest", 1, other.welcome(cell).number, 0, 0).pack())
        cell.until(partial(reached, min(number + 1, SUBSCRIBERS_MOST)))
    for other in others:
        other.socket.close()


def test_a_key_that_was_revoked_asks_in_vain_on_the_connection_it_has(
    taker: tuple[Taker, Sender], cell: Cell, arm: Keys
) -> None:
    other, tx = taker
    welcome = other.welcome(cell)
    other.socket.send(Ask("state", "every", 100, welcome.number, 0, 0).pack())
    cell.until(lambda: tx.subscribers("state"))
    tx.send("state", 0, 0, b"before")
    cell.until(lambda: other.topics() == [b"state"])
    arm.revoke("base")
    cell.until(lambda: not tx.subscribers("state"))
    tx.send("state", 1, 0, b"after")
    for question in (Ask("state", "every", 100, welcome.number, 0, 0).pack(), b""):
        other.socket.send(question)
    cell.until(lambda: tx.refused["a key that was revoked"] == 2)
    assert other.topics() == []


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" + bytes(31)


@pytest.fixture
def link(cell: Cell, arm: Keys, base: Keys) -> tuple[Endpoint, Sender, Receiver]:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    cell.until(lambda: tx.subscribers("state"))
    return free, tx, rx


def test_junk_on_the_port_disturbs_nobody_and_takes_no_memory(
    link: tuple[Endpoint, Sender, Receiver], cell: Cell
) -> None:
    free, tx, rx = link

    def newest(number: int) -> bool:
        return numbers(cell, rx)[-1:] == [number]

    before = resident()
    huge = b"\x02" + struct.pack(">Q", 16 << 30)
    junk = (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, GREETING, GREETING[:40], GREETING + huge)
    for round_ in range(20):
        sockets = []
        for data in (*junk, GREETING + b"\x04\xff" + bytes(255), GREETING + b"\x04\x20\x05HELLO" + bytes(26)):
            sockets.append(socket.create_connection((free.host, free.port)))
            sockets[-1].sendall(data)
        tx.send("state", round_, 0, b"still there")
        cell.until(partial(newest, round_))
        for one in sockets:
            one.close()
    cell.until(lambda: sum(tx.denied.values()) >= 40)
    cell.until(lambda: rx.connected)
    assert not rx.refused
    # A frame of 16 GiB was announced twenty times over.
    assert resident() - before < 256 * 1024 * 1024


@settings(MANY, max_examples=25)
@given(data=st.binary(min_size=1, max_size=300), greeted=st.booleans())
def test_no_bytes_on_the_port_break_it(
    data: bytes, greeted: bool, link: tuple[Endpoint, Sender, Receiver], cell: Cell
) -> None:
    endpoint, tx, rx = link
    with socket.create_connection((endpoint.host, endpoint.port)) as raw:
        raw.sendall(GREETING + data if greeted else data)
        number = len(cell.at(rx))
        tx.send("state", number, 0, b"still there")
        cell.until(lambda: len(cell.at(rx)) == number + 1)
    cell.until(lambda: rx.connected)
