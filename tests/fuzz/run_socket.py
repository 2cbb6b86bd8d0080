"""Fuzzers of the sockets of a live run: what clients send to its launcher and to its guard, and what a run answers.

An input is a row of packets. Whatever they are, the next good request is answered, and a stop is carried out.
"""

from __future__ import annotations

import atexit
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import msgpack

from embodied.errors import LaunchError, LinkFailed
from embodied.graph.graph import Graph
from embodied.live import guard_client, launcher_requests
from embodied.live.client import Client, Refused
from embodied.live.control import Control
from embodied.live.guard_client import GuardCall
from embodied.live.ipc import Disconnected, Packet, receive, send
from embodied.live.run_directory import RunDirectory
from embodied.live.run_places import GUARD, ONLY
from tests.embodied.live.nodes import Counter, Square
from tests.embodied.live.running import Running
from tests.embodied.nodes import LatchGuard
from tests.fuzz.harness import SECONDS_MOST, Kind, temporarily

PACKETS_MOST = 8
"""Largest number of packets of one input."""

SPLIT = b"\xc1\xc1"
"""Bytes between two packets; MessagePack never has the first of them."""


def packets(data: bytes) -> list[bytes]:
    return [packet[:100_000] for packet in data.split(SPLIT)[:PACKETS_MOST] if packet]


@cache
def folder_of_runs() -> str:
    return tempfile.mkdtemp(prefix="embodied-fuzz-runs-")


@contextmanager
def private() -> Iterator[None]:
    """Have a folder for runs that no other run is in."""
    before = os.environ.get(ONLY)
    os.environ[ONLY] = folder_of_runs()
    try:
        yield
    finally:
        del os.environ[ONLY]
        if before is not None:
            os.environ[ONLY] = before


class Cell:
    """Live run with a guard, and good clients of its launcher and of the guard."""

    def __init__(self) -> None:
        graph = Graph(clock="steady").add("counter", Counter()).add("square", Square(), number="counter")
        graph.add("guard", LatchGuard())
        graph.processes = (("counter", "square"),)
        self.running = Running(graph)
        self.control = Control(self.running.run, {})
        self.running.run.open()
        atexit.register(self.running.run.close)
        self.guard_path = next(self.running.run.directory.path.glob(f"{GUARD}*"))
        self.launcher, self.guard = self.connect(), self.connect_guard()
        self.others: dict[str, socket.socket] = {}

    def connect(self) -> socket.socket:
        # Who is at the door is let in by this same thread.
        self.running.run.advance(0.0)
        channel = self.running.run.directory.connect()
        assert channel is not None
        channel.setblocking(False)
        return channel

    def connect_guard(self) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.settimeout(SECONDS_MOST)
        channel.connect(str(self.guard_path))
        return channel

    def send(self, where: str, packet: bytes) -> None:
        """Send a packet from a client whose connection is made again where it was closed."""
        for _ in range(2):
            if where not in self.others:
                self.others[where] = self.connect() if where == "launcher" else self.connect_guard()
                self.others[where].setblocking(False)
            try:
                self.others[where].send(packet)
                while receive(self.others[where]) is not None:
                    pass
                return
            except (Disconnected, OSError):
                self.others.pop(where).close()
            except LinkFailed:
                return

    def ask_launcher(self) -> Packet:
        send(self.launcher, "status")
        found: list[Packet] = []

        def heard() -> bool:
            if (said := receive(self.launcher)) is not None:
                found.append(said)
            return bool(found)

        assert self.running.until(heard, SECONDS_MOST), "the launcher does not answer"
        return found[0]

    def ask_guard(self, verb: str) -> Packet:
        send(self.guard, verb, reason="x")
        said = receive(self.guard)
        assert said is not None, "the guard does not answer"
        return said


@cache
def cell() -> Cell:
    return Cell()


def read_requests(data: bytes, folder: Path) -> str:
    """Send packets to a launcher and to a guard; both go on, no node ends, and a stop is carried out."""
    # A guard that has other orders by then has been stopped all the same.
    with private(), temporarily(launcher_requests, READ_BACK=0.05):
        return _read_requests(data)


def _read_requests(data: bytes) -> str:
    one = cell()
    for packet in packets(data):
        one.send("launcher", packet)
        one.send("guard", packet)
        one.running.run.advance(0.0)
    assert one.ask_launcher().verb == "ok"
    assert one.ask_guard("stop").verb == "ok"
    ended = [process.name for process in one.running.run.processes.values() if process.state == "ended"]
    assert not ended, f"{ended} ended"
    assert one.running.run.failure is None, one.running.run.failure
    return ""


def request_examples() -> list[bytes]:
    asked: list[tuple[str, dict[str, object]]] = [
        ("status", {}),
        ("counts", {}),
        ("topics", {}),
        ("nodes", {}),
        ("settings", {}),
        ("set", {"node": "counter", "setting": "scale", "value": 2.0}),
        ("observe", {"topic": "counter"}),
        ("publish", {"topic": "counter", "fields": {"number": 1, "squares": {"shape": [3], "fill": 2.0}, "text": "a"}}),
        ("reset", {"by": "me"}),
        ("stop", {"reason": "why"}),
        ("estop", {"reason": "why"}),
        ("guards", {"since": 5}),
        ("logs", {"node": "counter", "count": 5, "follow": False}),
        ("graph", {}),
    ]
    wire = [msgpack.packb(list(request)) for request in asked]
    # The launcher's `stop` ends the run, which is what it is for.
    return [SPLIT.join(wire[start : start + 4]) for start in range(0, len(wire), 4)]


class Liar:
    """Run whose launcher and guard answer what they are given."""

    def __init__(self) -> None:
        self.directory = RunDirectory.create("liar")
        self.directory.write({"pid": os.getpid(), "guards": ["guard"]})
        self.answers: list[bytes] = []
        for name in (None, f"{GUARD}0"):
            listener = self.directory.listen() if name is None else self.directory.listen(name)
            listener.setblocking(True)
            threading.Thread(target=self._accept, args=(listener,), name="liar", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            channel, _ = listener.accept()
            with channel, suppress(OSError):
                channel.settimeout(SECONDS_MOST)
                channel.recv(200_000)
                for answer in self.answers:
                    channel.send(answer)


@cache
def liar() -> Liar:
    return Liar()


def read_answers(data: bytes, folder: Path) -> str:
    """Ask a run that answers anything: a value, or one clear error; a call to its guards ends in time, without one."""
    with private(), temporarily(guard_client, TIMEOUT=0.01, LAUNCHER_PATIENCE=0.01):
        return _read_answers(data)


def _read_answers(data: bytes) -> str:
    one = liar()
    one.answers = packets(data)
    call = GuardCall(reset=bool(data[:1] < b"\x80"), words="x", wanted=[one.directory.name])
    call.read()
    for answer in call.answers.values():
        for report in answer.guards.values():
            assert isinstance(report["done"], bool)
            assert all(isinstance(text, str) for text in (report["state"], *report["why"]))
        assert all(isinstance(text, str) for text in answer.refusals)
    try:
        with Client(one.directory, timeout=SECONDS_MOST) as client:
            client.ask("status")
    except Refused as error:
        assert all(isinstance(text, str) for text in error.help), error.help
        return str(error)
    except (LinkFailed, LaunchError) as error:
        return str(error)
    return ""


def answer_examples() -> list[bytes]:
    report = {"guard": {"state": "stopped", "why": ["x"]}}
    said = [
        ["ok", {"value": report, "guards": ["guard"], "at": 5}],
        ["ok", {"value": ["guard"], "guards": ["guard"], "at": 5}],
        ["error", {"text": "no", "help": ["yes"], "guards": ["guard"]}],
        ["ended", {"failures": []}],
    ]
    return [msgpack.packb(said[0]), SPLIT.join(map(msgpack.packb, said[1::-1]))]


WORDS = (
    *(
        SPLIT,
        b"\xc0",
        b"\xc2",
        b"\x90",
        b"\x80",
        b"\x91",
        b"\x81",
        b"\xcb\x7f\xf8\0\0\0\0\0\0",
        b"\xcb\x7f\xf0\0\0\0\0\0\0",
    ),
    *(
        b"\xcf" + b"\xff" * 8,
        b"\xd3\x80" + bytes(7),
        b"\xa0",
        b"\xc4\x02\xff\xfe",
        b"\xa4node",
        b"\xa5topic",
        b"\xa5value",
    ),
    *(
        b"\xa6reason",
        b"\xa4stop",
        b"\xa5estop",
        b"\xa5reset",
        b"\xa7restart",
        b"\xa6guards",
        b"\xa7publish",
        b"\xa3set",
    ),
    *(b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x91" * 600, b"\xa5guard", b"\xa7counter", b"\xa4text"),
)

MODULES = ("embodied.live",)

REQUESTS = Kind("requests", request_examples, WORDS, read_requests, MODULES)

ANSWERS = Kind("run", answer_examples, WORDS, read_answers, MODULES)
