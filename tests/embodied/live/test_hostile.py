"""Hostile packets: every request is checked against its form at the door, refused with an answer, counted.

Nothing that a client of the same user sends ends a node, a guard or a launcher. A stop is carried out in any form.
"""

from __future__ import annotations

import math
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from embodied.errors import LinkFailed
from embodied.graph.graph import Graph
from embodied.live.client import Client, Refused
from embodied.live.connections import CLIENTS
from embodied.live.control import Control
from embodied.live.guard_client import GuardCall
from embodied.live.ipc import LARGEST, receive, send, socket_pair
from embodied.live.run_directory import RunDirectory
from embodied.live.run_places import GUARD
from tests.embodied.live.nodes import Counter, Gate, Square
from tests.embodied.live.running import Running
from tests.embodied.nodes import LatchGuard

VERBS = [
    "status",
    "counts",
    "topics",
    "settings",
    "set",
    "observe",
    "publish",
    "restart",
    "estop",
    "reset",
    "logs",
    "x",
]
WORDS = st.sampled_from(["node", "topic", "setting", "value", "fields", "by", "reason", "process", "count", "name"])
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
REQUESTS = st.tuples(st.sampled_from(VERBS), st.dictionaries(WORDS, PLAIN, max_size=4)).map(
    lambda request: msgpack.packb(list(request))
)
PACKETS = st.binary(min_size=1, max_size=200) | REQUESTS | PLAIN.map(msgpack.packb)


@pytest.fixture(scope="module")
def cell() -> Iterator[tuple[Running, Control]]:
    graph = Graph(clock="steady").add("counter", Counter()).add("square", Square(), number="counter")
    graph.add("guard", LatchGuard()).add("source", Counter(first=1000)).add("gate", Gate(), number="source")
    graph.processes = (("counter", "source"),)
    running = Running(graph)
    control = Control(running.run, {})
    with running:
        yield running, control
    control.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def connect(running: Running) -> socket.socket:
    # Who is at the door is let in by this same thread.
    running.run.advance(0.0)
    channel = running.run.directory.connect()
    assert channel is not None
    channel.setblocking(False)
    return channel


def answered(running: Running, channel: socket.socket) -> Any:
    """Return the answer to a valid request, once everything sent before it has been handled."""
    found: list[Any] = []

    def heard() -> bool:
        said = receive(channel)
        if said is not None:
            found.append(said)
        return bool(found)

    assert running.until(heard, 5.0), "the launcher does not answer any more"
    return found[0]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(PACKETS, max_size=5))
@example(packets=[msgpack.packb(["observe", {"topic": 0}])])
@example(packets=[msgpack.packb(["set", {"node": "counter", "setting": "scale", "value": "x"}])])
def test_whatever_comes_to_its_socket_a_launcher_goes_on_and_answers_others(
    cell: tuple[Running, Control], packets: list[bytes]
) -> None:
    running, _ = cell
    hostile, good = connect(running), connect(running)
    for packet in [*packets, *packets]:
        try:
            hostile.send(packet)
        except OSError:
            break
        running.run.advance(0.0)
    send(good, "status")
    said = answered(running, good)
    assert said.verb == "ok"
    assert {process["name"] for process in said.about["value"]["processes"]} == {*running.run.processes}
    hostile.close()
    good.close()
    running.run.advance(0.0)


def test_packets_that_are_too_large_and_too_many_clients_are_turned_away_and_memory_stays(
    cell: tuple[Running, Control],
) -> None:
    running, _ = cell
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    open_before = descriptors()
    for _ in range(20):
        large = connect(running)
        large.setblocking(True)
        large.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * LARGEST)
        large.send(bytes(LARGEST + 1))
        running.until(lambda: False, 0.01)
        large.close()
    crowd = [connect(running) for _ in range(CLIENTS + 20)]
    running.until(lambda: False, 0.1)
    for channel in crowd:
        channel.close()
    running.until(lambda: False, 0.1)
    good = connect(running)
    send(good, "status")
    assert answered(running, good).verb == "ok"
    good.close()
    running.until(lambda: False, 0.05)
    assert descriptors() <= open_before + 2
    # In [KiB]: what came was larger than this in all.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024


def test_a_client_that_asks_and_never_reads_holds_nobody_up(cell: tuple[Running, Control]) -> None:
    running, _ = cell
    deaf, good = connect(running), connect(running)
    for _ in range(2000):
        try:
            send(deaf, "topics")
        except Exception:
            break
        running.run.advance(0.0)
    send(good, "status")
    assert answered(running, good).verb == "ok"
    deaf.close()
    good.close()


def asked(running: Running, packet: bytes) -> Any:
    """Return the answer to raw bytes, or of a request."""
    channel = connect(running)
    channel.send(packet)
    said = answered(running, channel)
    channel.close()
    return said


def refused(running: Running) -> int:
    return int(asked(running, msgpack.packb(["status", {}])).about["value"]["refused"])


def published(squares: Any, number: int = 1) -> list[Any]:
    return ["publish", {"topic": "counter", "fields": {"number": number, "squares": squares, "text": ""}}]


def tuned(node: Any = "counter", setting: Any = "scale", value: Any = 1.0) -> list[Any]:
    return ["set", {"node": node, "setting": setting, "value": value}]


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        ([1, {}], "a packet came that is not [verb, {field: value}]"),
        (["observe"], "a packet came that is not"),
        ({"observe": 1}, "a packet came that is not"),
        (["observe", {1: 2}], "a packet came that is not"),
        ([["status"], {}], "a packet came that is not"),
        (b"\xc1", "a packet came that is not"),
        (["", {}], "there is no request ''"),
        (["\x1b[2J", {}], r"there is no request '\x1b[2J'"),
        (["x" * 1000, {}], "…"),
        (["observe", {"topic": 1}], "topic of 'observe' must be a text, got 1"),
        (["observe", {"topic": ["counter"]}], "topic of 'observe' must be a text, got ['counter']"),
        (["observe", {}], "'observe' needs topic, a text"),
        (["status", {"topic": "x"}], "'status' takes no arguments, and not 'topic'"),
        (tuned(setting=[]), "setting of 'set' must be a text, got []"),
        (tuned(node={}), "node of 'set' must be a text, got {}"),
        (tuned(value="1"), "value of 'set' must be a finite number"),
        (tuned(value=True), "value of 'set' must be a finite number"),
        (tuned(value=float("nan")), "must be a finite number, got nan"),
        (["publish", {"topic": "counter", "fields": []}], "fields of 'publish' must be a mapping"),
        (published({"shape": [10**12]}), "has 8000000000000 B, and at most 67108864 B are published by hand"),
        (published({"shape": [-1]}), "must have a shape of 1 whole numbers from 0, got [-1]"),
        (published({"shape": [1.5]}), "must have a shape of 1 whole numbers from 0, got [1.5]"),
        (published({"shape": [2, 2]}), "must have a shape of 1 whole numbers from 0, got [2, 2]"),
        (published({"size": 3}), "must be a list or {shape:"),
        (published({"shape": [1], "fill": []}), "squares"),
        (published([1.0], number=2**64 - 1), "number"),
        (["logs", {"node": "", "count": -1, "follow": False}], "count of 'logs' must be a whole number from 0, got -1"),
        (["logs", {"node": "", "count": 1, "follow": 1}], "follow of 'logs' must be true or false, got 1"),
        (
            ["publish", {"topic": "source", "fields": {}}],
            "a measurement by which the guard 'gate' moves: only 'source' may",
        ),
        (["reset", {"by": None}], "by of 'reset' must be a text, got None"),
        (["restart", {"node": 7}], "node of 'restart' must be a text, got 7"),
    ],
)
def test_a_request_of_another_form_is_refused_with_an_answer_and_counted(
    packet: Any, text: str, cell: tuple[Running, Control]
) -> None:
    running, _ = cell
    before = refused(running)
    said = asked(running, packet if isinstance(packet, bytes) else msgpack.packb(packet))
    assert said.verb == "error"
    assert text in said.about["text"], said.about["text"]
    assert len(said.about["text"]) < 300
    assert refused(running) == before + 1
    assert {process.state for process in running.run.processes.values()} == {"running"}


@pytest.mark.parametrize(
    "about", [{}, {"reason": 5}, {"reason": ["a hand"]}, {"why": "x"}, {"reason": "x" * 100_000}, {"reason": "\x1b[2J"}]
)
def test_an_emergency_stop_is_carried_out_whatever_its_arguments_are(
    about: dict[str, Any], cell: tuple[Running, Control]
) -> None:
    running, _ = cell
    said = asked(running, msgpack.packb(["estop", about]))
    assert said.about["value"]["guard"]["state"] == "stopped"
    assert running.until(lambda: running.run.ask("guard", "guards")["guard"]["state"] == "stopped", 5)
    assert running.process("guard").state == "running"
    assert asked(running, msgpack.packb(["reset", {"by": "x" * 100_000}])).verb == "ok"


def test_a_text_that_is_no_unicode_arrives_with_what_is_wrong_replaced_and_what_is_no_data_is_not_sent() -> None:
    here, there = socket_pair()
    with here, there:
        send(here, "failed", error="no such file: \udcff.png")
        packet = receive(there)
        assert packet is not None
        assert packet.about == {"error": "no such file: ?.png"}
        for value in (2**64, object(), {1, 2}):
            with pytest.raises(LinkFailed, match="'failed' cannot be sent: "):
                send(here, "failed", error=value)


@contextmanager
def odd_run(said: Any, *socket_name: str, times: int = 1) -> Iterator[RunDirectory]:
    """Have a run with one guard, whose launcher, or whose socket of a name, gives a number of clients one answer."""
    directory = RunDirectory.create("odd")
    directory.write({"guards": ["guard"]})
    listener = directory.listen(*socket_name)
    listener.setblocking(True)

    def answer() -> None:
        for _ in range(times):
            channel, _ = listener.accept()
            with channel:
                channel.recv(LARGEST)
                channel.send(msgpack.packb(said))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield directory
    finally:
        thread.join()
        listener.close()
        directory.remove()


@pytest.mark.parametrize("at", [math.inf, -math.inf, math.nan, "soon", None, [], 2**64 - 1])
def test_an_answer_of_a_guard_that_came_at_no_time_does_not_end_an_emergency_stop(at: Any) -> None:
    with odd_run(["ok", {"value": [], "guards": ["guard"], "at": at}], f"{GUARD}0") as directory:
        call = GuardCall(reset=False, words="x", wanted=[directory.name])
        call.read()
        assert not call.answers[directory.name].done
        assert call.answers[directory.name].expected == {"guard"}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["ok", {"value": {"guard": {"state": "stopped"}}}], ""),
        (["ok", {}], "gives no answer of this version"),
        (["error", {}], "it gives no reason"),
        (["what", {"value": 1}], "gives no answer of this version"),
        ([1, 2], "a packet came that is not"),
    ],
)
def test_an_answer_of_another_form_is_one_error_of_a_client_and_none_of_an_emergency_stop(said: Any, text: str) -> None:
    with odd_run(said, times=2) as directory:
        call = GuardCall(reset=False, words="x", wanted=[directory.name])
        call.read()
        assert not call.answers[directory.name].done
        with Client(directory) as client:
            try:
                client.ask("status")
                found = ""
            except (LinkFailed, Refused) as error:
                found = str(error)
        assert text in found
        assert bool(text) == bool(found)
