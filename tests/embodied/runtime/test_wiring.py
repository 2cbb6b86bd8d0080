"""Wiring: one set of rules for what a delivery does, whichever runner and whichever process it happens in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from embodied import Node, Time
from embodied.graph.entry import Wire
from embodied.graph.graph import Graph
from embodied.messages import JointState, Target
from embodied.runtime.mailboxes import Mailbox
from embodied.runtime.running_node import RunningNode
from embodied.runtime.wiring import Wiring, align, deliver
from tests.embodied.nodes import joints

MS = 1_000_000


class Both(NamedTuple):
    joints: JointState
    target: Target | None


@dataclass
class Publisher(Node):
    """Publishes two outputs in one step."""

    rate = 100.0

    def step(self, now: Time) -> Both:
        return Both(joints(at=now), None)


@dataclass
class Subscriber(Node):
    """Takes both outputs together, and each of one in a list."""

    def step(self, joints: JointState, target: Target | None, every: list[JointState]) -> Target | None:
        return None


def graph(max_age: int | None = None) -> Graph:
    return (
        Graph()
        .add("publisher", Publisher())
        .add(
            "subscriber",
            Subscriber(),
            joints=Wire("publisher.joints", max_age=max_age),
            target="publisher.target",
            every=Wire("publisher.joints", bound=3),
        )
    )


def wirings(max_age: int | None = None) -> tuple[Wiring, Wiring]:
    """Wire the graph in one process, and its subscriber in a process of its own."""
    plan = graph(max_age).check()
    return Wiring(plan.nodes.values(), 0), Wiring([plan.nodes["subscriber"]], 0)


def boxes(wiring: Wiring) -> dict[str, Mailbox]:
    return {mailbox.name: mailbox for mailbox in wiring.nodes["subscriber"].mailboxes}


@given(steps=st.lists(st.sampled_from([{"joints"}, {"target"}, {"joints", "target"}]), max_size=12))
def test_a_subscriber_gets_the_same_from_its_own_process_and_from_another(steps: list[set[str]]) -> None:
    messages = {"joints": joints(), "target": Target(label="red")}
    seen = []
    for wiring in wirings():
        topics = wiring.topics | wiring.remote
        due: list[RunningNode] = []
        for sequence, ports in enumerate(steps):
            for port in sorted(ports):
                deliver(topics[f"publisher.{port}"], messages[port], sequence * MS, sequence, due)
            align(wiring.groups("publisher"))
        found = boxes(wiring)
        seen.append(
            (
                [node.name for node in due],
                found["joints"].value is None,
                found["target"].value is None,
                found["every"].dropped,
                len(found["every"].items or ()),
            )
        )
    assert seen[0] == seen[1]


def test_outputs_of_two_steps_are_never_side_by_side() -> None:
    for wiring in wirings():
        topics, found = wiring.topics | wiring.remote, boxes(wiring)
        deliver(topics["publisher.joints"], joints(), 0, 0, [])
        deliver(topics["publisher.target"], Target(label="red"), 0, 0, [])
        align(wiring.groups("publisher"))
        assert found["joints"].value is not None
        assert found["target"].value is not None
        deliver(topics["publisher.joints"], joints(), MS, 1, [])
        align(wiring.groups("publisher"))
        assert found["joints"].value is not None
        assert found["target"].value is None


def test_a_wire_with_a_greatest_age_of_its_own_is_taken_by_that_alone() -> None:
    for wiring in wirings(20 * MS):
        topics, found = wiring.topics | wiring.remote, boxes(wiring)
        deliver(topics["publisher.target"], Target(label="red"), 0, 0, [])
        deliver(topics["publisher.joints"], joints(), MS, 1, [])
        align(wiring.groups("publisher"))
        assert found["target"].value is not None


def test_a_node_that_is_triggered_several_times_before_it_steps_is_due_once() -> None:
    for wiring in wirings():
        topic = (wiring.topics | wiring.remote)["publisher.joints"]
        due: list[RunningNode] = []
        for sequence in range(3):
            deliver(topic, joints(), sequence * MS, sequence, due)
        assert [node.name for node in due] == ["subscriber"]


def test_a_full_list_drops_its_oldest_message_and_counts_it() -> None:
    wiring, _ = wirings()
    for sequence in range(5):
        deliver(wiring.topics["publisher.joints"], joints(sequence), sequence * MS, sequence, [])
    every = boxes(wiring)["every"]
    assert every.dropped == 2
    assert [message.position[0] for message in every.items or ()] == [2.0, 3.0, 4.0]


def test_a_value_counts_up_to_its_greatest_age_and_what_waits_in_lists_is_kept_meanwhile() -> None:
    wiring, _ = wirings(20 * MS)
    subscriber = wiring.nodes["subscriber"]
    assert subscriber.arguments(0) is None, "nothing was published yet"
    deliver(wiring.topics["publisher.joints"], joints(1.0), 0, 0, [])
    assert subscriber.arguments(20 * MS + 1) is None, "it is too old"
    read = subscriber.arguments(20 * MS)
    assert read is not None
    state, target, every = read
    assert (state.position[0], target, len(every)) == (1.0, None, 1)
    again = subscriber.arguments(20 * MS)
    assert again is not None
    assert again[2] == []


def test_only_what_has_a_subscriber_in_the_process_is_sealed_there() -> None:
    plan = graph().check()
    whole, alone = Wiring(plan.nodes.values(), 0), Wiring([plan.nodes["publisher"]], 0)
    for wiring in (whole, alone):
        wiring.seal(plan.stated())
    assert {name: topic.seal is not None for name, topic in whole.topics.items()} == {
        "publisher.joints": True,
        "publisher.target": True,
        "subscriber.target": False,
    }
    assert not any(topic.seal for topic in alone.topics.values())
