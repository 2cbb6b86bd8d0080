from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from embodied.graph.graph import Graph
from embodied.live.control import CLIENTS, Control
from embodied.live.ipc import LARGEST, receive, send
from tests.embodied.live.nodes import Counter, Square
from tests.embodied.live.running import Running

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
    assert {process["name"] for process in said.about["value"]["processes"]} == {"counter", "square"}
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
