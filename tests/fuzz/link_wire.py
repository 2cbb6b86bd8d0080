"""Fuzzers of the links between machines: a peer without a key, with a wrong one, and with an allowed one.

Whatever it sends, the next message of a good peer arrives. Bytes are refused, or are a message that packs to the same.
"""

from __future__ import annotations

import socket
import struct
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import zmq
from zmq.utils import z85

from embodied.errors import WireError
from embodied.links import tcp
from embodied.links.codec import Layout
from embodied.links.frames import Ask, Head, Malformed
from embodied.links.frames import read as read_frames
from embodied.links.keys import Keys
from embodied.links.packing import Packer
from embodied.links.receiver import Receiver
from embodied.links.sender import Sender
from embodied.messages.constraints import Refinement
from tests.embodied.links.machines import Cell, believe, free_endpoint, machine
from tests.embodied.links.test_codec import SIZES
from tests.embodied.messages.test_encoding import KINDS, example
from tests.fuzz.harness import Kind

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" + bytes(31)
"""Greeting of ZMTP 3.1 with CURVE, as a client."""

HELLO = b"\x04\xc8\x05HELLO\x01\x00" + bytes(72) + bytes(32) + bytes(8) + bytes(80)
"""First command of CURVE, with a box that nothing opens."""

EPOCH = 7
"""Epoch of a peer that sends anything."""

numbers = count(1)


class Link:
    """Two good machines, their link, and a third peer that sends anything at it."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="embodied-fuzz-keys-"))
        self.arm, self.base, self.desk, self.stranger = (
            machine(folder, name) for name in ("arm", "base", "desk", "stranger")
        )
        believe(self.arm, self.base)
        believe(self.arm, self.desk)
        self.cell = Cell()
        self.endpoint = free_endpoint()
        self.sender: Sender = self.cell.sender(self.endpoint, self.arm, "state")
        self.receiver: Receiver = self.cell.receiver(self.endpoint, "arm", self.base, state=None)
        self.context: zmq.Context[Any] = zmq.Context()
        self.cell.until(lambda: self.sender.subscribers("state"))

    def serves(self) -> None:
        """Check that the next message arrives."""
        number = next(numbers)
        self.sender.send("state", number, 0, b"still there")
        arrived = self.cell.at(self.receiver)
        self.cell.until(lambda: arrived and arrived[-1].sequence == number)
        arrived.clear()

    def peer(self, keys: Keys) -> zmq.Socket[bytes]:
        """Return a socket that connects as another machine."""
        made: zmq.Socket[bytes] = self.context.socket(zmq.DEALER)
        tcp.set_keys(made, keys)
        made.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(self.arm.public()))
        made.setsockopt(zmq.PROBE_ROUTER, 1)
        made.setsockopt(zmq.LINGER, 0)
        made.connect(str(self.endpoint))
        return made


@cache
def link() -> Link:
    return Link()


def read_bytes(data: bytes, folder: Path) -> str:
    """Send an input to the port of a link as a peer without a key, or with one that is not allowed."""
    one = link()
    with socket.create_connection((one.endpoint.host, one.endpoint.port)) as raw:
        try:
            raw.sendall(data)
            if len(data) % 4 == 0:
                raw.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        one.serves()
    if next(numbers) % 500 == 0:
        stranger = one.peer(one.stranger)
        stranger.send(data, zmq.NOBLOCK) if stranger.poll(0, zmq.POLLOUT) else None
        one.serves()
        stranger.close(linger=0)
    assert one.sender.subscribers("state") == 1
    return ""


def byte_examples() -> list[bytes]:
    null = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    return [GREETING + HELLO, null + b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\6DEALER", b"GET / HTTP/1.1\r\n\r\n"]


class Peers:
    """Peer that is allowed, at either end, and sends anything."""

    def __init__(self) -> None:
        self.link = link()
        self.taker = self.link.peer(self.link.desk)
        self.welcome = 0
        # The other end: a receiver that is connected to a peer which sends what it likes.
        self.cell = Cell()
        endpoint = free_endpoint()
        self.giver: zmq.Socket[bytes] = self.link.context.socket(zmq.ROUTER)
        tcp.set_keys(self.giver, self.link.arm)
        self.giver.setsockopt(zmq.CURVE_SERVER, 1)
        self.giver.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.giver.setsockopt(zmq.LINGER, 0)
        self.giver.bind(str(endpoint))
        self.receiver = self.cell.receiver(endpoint, "arm", self.link.base, state=None, hits=100)
        self.name = b""
        self._meet()

    def _meet(self) -> None:
        said = b"more"
        while said:
            self.cell.until(lambda: self.giver.poll(0))
            self.name, said = self.giver.recv_multipart()

    def asked(self, topic: str, welcome: int) -> bool:
        """Return whether the receiver has asked for a topic after a welcome; what it asked before does not count."""
        while self.giver.poll(0):
            _, frame = self.giver.recv_multipart()
            if frame != b"" and (ask := Ask.of(frame)).topic == topic and ask.welcome == welcome:
                return True
        return False

    def welcomed(self) -> int:
        """Ask to be let in, and return the number of the welcome."""
        self.taker.send(b"")
        self.link.cell.until(lambda: self.taker.poll(0))
        while self.taker.poll(0):
            topic, head = read_frames([memoryview(frame) for frame in self.taker.recv_multipart()])
            self.welcome = self.welcome if topic else head.number
        return self.welcome


@cache
def peers() -> Peers:
    return Peers()


def groups(data: bytes) -> list[list[bytes]]:
    """Split an input into messages of frames: a frame is its length and its bytes, and one of length 255 ends one."""
    found: list[list[bytes]] = [[]]
    at = 0
    while at < len(data):
        length = data[at]
        if length == 255:
            found.append([])
            length = 0
        else:
            found[-1].append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return [frames for frames in found if frames][:50]


def read_peer(data: bytes, folder: Path) -> str:
    """Send frames as an allowed machine, to either end; both go on, and what is parsed packs to the same."""
    one = peers()
    welcome = one.welcomed()
    epoch = next(numbers) + EPOCH
    one.giver.send_multipart((one.name, b"", Head(epoch, epoch, 0, 0, 0).pack()))
    for number, frames in enumerate(groups(data)):
        for frame in frames:
            try:
                ask = Ask.of(frame)
            except Malformed:
                continue
            assert ask.pack() == frame
            if number % 2:
                ask = Ask(ask.topic, ask.mode, ask.credit, welcome, ask.number, ask.at)
                frames = [ask.pack()]
        one.taker.send_multipart(frames)
        try:
            topic, head = read_frames([memoryview(frame) for frame in frames])
            assert head.pack() == frames[1]
            assert topic.encode() == frames[0]
            if number % 2:
                frames = [frames[0], Head(epoch, head.number, *_rest(head)).pack(), *frames[2:]]
        except Malformed:
            pass
        one.giver.send_multipart((one.name, *frames))
    one.link.serves()
    last = next(numbers) + EPOCH
    one.giver.send_multipart((one.name, b"", Head(last, last, 0, 0, 0).pack()))
    arrived = one.cell.at(one.receiver)
    one.cell.until(lambda: one.asked("state", last))
    one.giver.send_multipart((one.name, b"state", Head(last, 0, last, 0, 0).pack(), b"part"))
    one.cell.until(lambda: arrived and arrived[-1].sequence == last)
    arrived.clear()
    return ""


def _rest(head: Head) -> tuple[int, int, int]:
    return head.sequence, head.stamp, head.asked


def peer_examples() -> list[bytes]:
    def framed(*frames: bytes) -> bytes:
        return b"".join(bytes([len(frame)]) + frame for frame in frames) + b"\xff"

    asks = [Ask("state", mode, n, 5, 0, 9) for mode in ("latest", "every") for n in (1, 100)]
    heads = [Head(EPOCH, number, number, 5, 6) for number in range(3)]
    return [
        b"".join(framed(ask.pack()) for ask in asks),
        b"".join(framed(b"hits", head.pack(), b"part") for head in heads),
        framed(b"", heads[0].pack()) + framed(b"state", heads[1].pack(), b"a", b"b"),
    ]


REFINED = (Refinement(), Refinement(sizes=SIZES))
"""Constraints of the ports: none, and stated sizes."""


@cache
def packers(index: int) -> tuple[Packer, Packer]:
    kind, refined = KINDS[index // 2], REFINED[index % 2]
    return Packer(Layout.of(kind, refined, "peer.port")), Packer(Layout.of(kind, refined, "here.port"))


def read_message(data: bytes, folder: Path) -> str:
    """Unpack a message, and publish it here as a gateway does; what is taken packs and unpacks to the same."""
    there, here = packers((data[0] if data else 0) % (2 * len(KINDS)))
    try:
        packed = here.pack(there.unpack(data[1:]))
    except WireError as error:
        return str(error)
    assert here.pack(there.unpack(packed)) == packed
    return ""


def message_examples() -> list[bytes]:
    small = [index for index in range(2 * len(KINDS)) if len(packers(index)[0].pack(example(KINDS[index // 2]))) < 4096]
    return [bytes([index]) + packers(index)[0].pack(example(KINDS[index // 2])) for index in small]


WORDS = (
    *(GREETING[:12], b"\x05HELLO", b"\x08INITIATE", b"\x05ERROR", b"\x04PING", b"\x05READY", b"\x02\0\0\0\4\0\0\0\0"),
    *(b"emb1", b"state", b"hits", b"\xff" * 8, b"\x7f" + b"\xff" * 7, bytes(8), b"\x00\x00\xc0\x7f", b"\xff"),
    *(
        struct.pack("<d", float("nan")),
        struct.pack("<d", float("inf")),
        b"\x91\xc0",
        b"\x92\xa1a",
        b"\xdd\xff\xff\xff\xff",
    ),
)

MODULES = ("embodied.links",)

PORT = Kind("port", byte_examples, WORDS, read_bytes, MODULES)

PEER = Kind("peer", peer_examples, WORDS, read_peer, MODULES)

MESSAGE = Kind("message", message_examples, WORDS, read_message, (*MODULES, "embodied.messages"))
