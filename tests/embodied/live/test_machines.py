from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from embodied.clock import Time
from embodied.graph.entry import Wire
from embodied.graph.graph import Graph
from embodied.links.keys import Keys
from embodied.live.gateway import on_our_clock
from embodied.messages import JointState, Target
from tests.embodied.live.nodes import Age, Agree, Collect, Counter, Pairs, Square
from tests.embodied.live.running import Running
from tests.embodied.nodes import Clock, joints


def endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Keys]:
    made = {name: Keys(tmp_path / name) for name in ("base", "arm")}
    public = {name: found.new() for name, found in made.items()}
    made["base"].allow("arm", public["arm"])
    made["arm"].allow("base", public["base"])
    return made


def across(machines: dict[str, str], first: int = 1) -> Graph:
    graph = Graph(clock="steady", machines=dict(machines))
    graph.add("counter", Counter(first=first), on="base")
    graph.add("square", Square(), number="counter", on="arm")
    graph.add("collect", Collect(), counts=Wire("counter", bound=64), on="arm")
    graph.add("back", Square(), number="square", on="base")
    graph.add("pairs", Pairs(), on="base")
    graph.add("agree", Agree(), one="pairs.one", two="pairs.two", image="pairs.image", on="arm")
    graph.processes = (("counter", "back", "pairs"), ("square", "collect", "agree"))
    return graph


@contextmanager
def both(keys: dict[str, Keys]) -> Iterator[dict[str, Running]]:
    machines = {name: endpoint() for name in keys}
    found = {name: Running(across(machines), machine=name, keys=place.folder) for name, place in keys.items()}
    with found["base"], found["arm"]:
        yield found


def reach(found: dict[str, Running], done: Any, seconds: float) -> bool:
    """See to what happens on both until something is so."""

    def so() -> bool:
        found["base"].run.advance(0)
        return bool(done())

    return found["arm"].until(so, seconds)


def test_nodes_of_two_machines_exchange_messages_as_if_they_were_on_one(keys: dict[str, Keys]) -> None:
    with both(keys) as found:
        assert found["base"].run.layout["machines"] == ()
        assert set(found["arm"].run.layout) == {"agree+collect+square", "machines"}
        back, collected = found["base"].look("back.count"), found["arm"].look("collect.count")
        agreed = found["arm"].look("agree.count")
        assert reach(found, lambda: len(back.seen) > 50 and bool(collected.seen and agreed.seen), 20)
        assert reach(found, lambda: int(collected.seen[-1].message.text.split()[0]) > 100, 20)
        numbers = [entry.message.number for entry in back.seen]
        assert numbers == sorted(numbers)
        assert -1 not in numbers
        assert collected.seen[-1].message.text.split()[1] == "0", "of a list none is missing"
        assert reach(found, lambda: sum(map(int, agreed.seen[-1].message.text.split())) > 50, 20)
        assert agreed.seen[-1].message.number == 0, "outputs of two steps were seen together"


@pytest.mark.parametrize("opening", [0.0, 0.4])
def test_the_time_of_a_measurement_is_on_the_clock_of_the_machine_that_takes_it(
    keys: dict[str, Keys], opening: float
) -> None:
    machines = {name: endpoint() for name in keys}
    graphs = {name: Graph(clock="steady", machines=dict(machines)) for name in keys}
    for graph in graphs.values():
        graph.add("clock", Clock(), on="base").add("age", Age(opening), joints=Wire("clock", bound=64), on="arm")
    found = {name: Running(graphs[name], machine=name, keys=place.folder) for name, place in keys.items()}
    # The clock of a run begins with it: that of the first is ahead of the other's by the start of the second, which is
    # connected before its own begins.
    with found["base"], found["arm"]:
        assert found["arm"].run.epoch - found["base"].run.epoch > 20_000_000
        ages = found["arm"].look("age.count")
        assert reach(found, lambda: ages.seen and int(ages.seen[-1].message.text.split()[0]) > 20, 20)
        newest = ages.seen[-1].message
        assert newest.number >= 0, "one is from the future"
        assert int(newest.text.split()[1]) < 20


@pytest.mark.parametrize(("acquired", "sent", "here"), [(900, 1000, 4900), (1000, 1000, 5000), (1010, 1000, 5000)])
def test_a_measurement_is_as_old_on_arrival_as_when_it_was_sent_and_never_of_the_future(
    acquired: int, sent: int, here: int
) -> None:
    message = on_our_clock(joints(1.0, at=Time(acquired)), sent, 5000)
    assert isinstance(message, JointState)
    assert message.acquired == here
    assert message.position[0] == 1.0
    target = Target(label="red")
    assert on_our_clock(target, sent, 5000) is target


def test_a_machine_whose_key_is_revoked_hears_no_more(keys: dict[str, Keys]) -> None:
    with both(keys) as found:
        squares = found["arm"].look("square.count")
        assert reach(found, lambda: len(squares.seen) > 20, 20)
        keys["base"].revoke("arm")
        # It is cut within half a second, and here within a second and a half.
        reach(found, lambda: False, 1.5)
        count = len(squares.seen)
        reach(found, lambda: False, 0.5)
        assert len(squares.seen) == count


def _connected(running: Running) -> bool:
    (link,) = [link for link in running.run.ask("machines", "counts")["machines"] if "connected" in link]
    return bool(link["connected"])


def test_a_machine_that_ends_is_missed_and_found_again(keys: dict[str, Keys]) -> None:
    machines = {name: endpoint() for name in keys}
    arm = Running(across(machines), machine="arm", keys=keys["arm"].folder)
    with arm:
        squares = arm.look("square.count")

        def longer(count: int) -> bool:
            return len(squares.seen) > count

        for first in (1_000_000, 1):
            base = Running(across(machines, first), machine="base", keys=keys["base"].folder)
            with base:
                count = len(squares.seen)
                assert reach({"arm": arm, "base": base}, partial(longer, count + 20), 20)
                # The second life is received although it has not counted as far as the first.
                assert first <= squares.seen[count].message.number < 2 * first + 100_000
            assert arm.until(lambda: not _connected(arm), 10)
        assert not [event for event in arm.run.events if event.kind == "ended"]
