from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied import SECOND, Node, Stamped, Time
from embodied.clock import duration
from embodied.errors import LaunchError, NodeFailed
from embodied.graph.entry import Timing, Wire
from embodied.graph.graph import Graph
from embodied.messages import JointState
from embodied.runtime.digest import first_difference
from embodied.runtime.lockstep import Lockstep
from embodied.runtime.report import Report
from tests.embodied.nodes import (
    Breaks,
    Clock,
    Double,
    Liar,
    Listen,
    Meet,
    Motor,
    Noise,
    Once,
    Pair,
    PassGuard,
    Ramp,
    Split,
)


def run(graph: Graph, seconds: float = 1.0, seed: int = 0, trace: bool = False) -> Report:
    with Lockstep(graph.check(), seed=seed, trace=trace) as going:
        going.advance(Time(round(seconds * SECOND)))
        return going.report()


def control_loop(order: list[int] | None = None) -> Graph:
    parts = [
        lambda g: g.add("noise", Noise()),
        lambda g: g.add("clock", Clock()),
        lambda g: g.add("motor", Motor(), command="guard.joint_command"),
        lambda g: g.add("guard", PassGuard(), command="ramp"),
        lambda g: g.add("ramp", Ramp(), joints="motor.state"),
        lambda g: g.add("double", Double(), timing=Timing.of(latency="15ms", jitter="3ms"), joints="noise"),
        lambda g: g.add("meet", Meet(), a="double", b="clock", c="noise"),
    ]
    graph = Graph()
    for index in order or range(len(parts)):
        parts[index](graph)
    return graph.fault("drop", "double", share=0.1)


@given(st.permutations(range(7)), st.integers(0, 1000))
@settings(max_examples=20)
def test_the_digest_does_not_depend_on_the_order_of_listing(order: list[int], seed: int) -> None:
    assert run(control_loop(order), 0.3, seed).digest == run(control_loop(), 0.3, seed).digest


def test_the_digest_depends_on_the_seed() -> None:
    assert run(control_loop(), seed=1).digest != run(control_loop(), seed=2).digest


def test_an_observer_never_changes_the_digest() -> None:
    plan = control_loop().check()
    heard: list[Stamped[JointState]] = []
    with Lockstep(plan) as going:
        going.observe("clock.joint_state", heard.append)
        going.advance(Time(SECOND))
        assert going.report().digest == run(control_loop()).digest
    assert len(heard) == 101
    assert [one.sequence for one in heard] == list(range(101))


def test_a_bare_node_is_observed_by_its_first_output_and_an_unknown_topic_is_named() -> None:
    seen: list[Stamped[JointState]] = []
    with Lockstep(control_loop().check()) as going:
        going.observe("clock", seen.append)
        with pytest.raises(ValueError, match=r"there is no topic 'clok.joint_state'; did you mean 'clock.joint_state'"):
            going.observe("clok.joint_state", seen.append)
        going.advance(Time(SECOND // 100))
    assert [one.source for one in seen] == ["clock.joint_state"] * 2


def test_a_rated_node_steps_at_its_ticks_and_a_hop_costs_no_virtual_time() -> None:
    listen = Listen()
    run(Graph().add("clock", Clock()).add("listen", listen, joints="clock"), 0.05)
    assert listen.times == [0, 10_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000]


def test_rated_nodes_see_only_what_was_delivered_before() -> None:
    meet = Meet()
    run(Graph().add("clock", Clock()).add("meet", meet, a="clock"), 0.3)
    # At a shared tick the value of the tick before is seen; at 0 there is none and the node is not called.
    assert [(now, value) for now, value, _, _ in meet.seen] == [
        (100_000_000, 0.09),
        (200_000_000, 0.19),
        (300_000_000, 0.29),
    ]


def test_a_list_holds_every_value_since_the_last_step_and_counts_what_it_dropped() -> None:
    meet = Meet()
    graph = Graph().add("clock", Clock()).add("meet", meet, a="clock", c=Wire("clock", bound=4))
    report = run(graph, 0.3)
    assert [count for *_, count in meet.seen] == [4, 4, 4]
    assert report.topics["clock.joint_state"].dropped > 0


def test_an_envelope_carries_stamp_sequence_and_source() -> None:
    meet = Meet()
    run(Graph().add("clock", Clock()).add("meet", meet, a="clock", b="clock"), 0.1)
    envelope = meet.seen[0][2]
    assert envelope is not None
    assert (envelope.stamp, envelope.sequence, envelope.source) == (90_000_000, 9, "clock.joint_state")


def test_a_silent_source_goes_stale_after_three_periods() -> None:
    meet = Meet()
    meet.rate = 100.0
    graph = Graph().add("clock", Clock()).add("meet", meet, a=Wire("clock", max_age=SECOND), b="clock")
    run(graph.fault("kill", "clock", at="100ms"), 0.2)
    last = max(now for now, _, envelope, _ in meet.seen if envelope is not None)
    assert last == 90_000_000 + 30_000_000


def test_a_required_input_that_is_stale_keeps_a_node_from_stepping_and_is_counted() -> None:
    meet = Meet()
    report = run(Graph().add("clock", Clock()).add("meet", meet, a="clock").fault("kill", "clock"), 1.0)
    assert not meet.seen
    assert report.nodes["meet"].starved == 11
    assert not report.topics["clock.joint_state"].alive


def test_a_node_without_rate_or_inputs_steps_once_and_never_goes_stale() -> None:
    class Late(Node):
        rate = 1.0

        def open(self) -> None:
            self.heard: list[str] = []

        def step(self, target: Target) -> None:
            self.heard.append(target.label)

    from embodied.messages import Target

    Late.step.__annotations__["target"] = Target
    late = Late()
    report = run(Graph().add("once", Once()).add("late", late, target="once"), 60.0)
    assert report.nodes["once"].steps == 1
    assert late.heard == ["red"] * 60


def test_latency_delays_delivery_and_triggers_coalesce_to_the_newest() -> None:
    listen = Listen()
    graph = Graph().add("clock", Clock()).add("double", Double(), timing=Timing.of(latency="25ms"), joints="clock")
    report = run(graph.add("listen", listen, joints="double"), 0.1)
    # Triggered at 0; busy to 25 ms; takes the newest at once, and so on.
    assert listen.times == [25_000_000, 50_000_000, 75_000_000, 100_000_000]
    assert report.nodes["double"].steps == 5


def test_missed_ticks_of_a_busy_rated_node_are_skipped_and_counted() -> None:
    report = run(Graph().add("clock", Clock(), timing=Timing.of(latency="25ms")), 1.0)
    assert report.nodes["clock"].skipped > 60
    assert not report.topics["clock.joint_state"].on_rate


def test_jitter_comes_from_the_seed() -> None:
    def graph() -> Graph:
        return Graph().add("clock", Clock(), timing=Timing.of(jitter="4ms"))

    assert run(graph(), seed=1).digest == run(graph(), seed=1).digest != run(graph(), seed=2).digest


def test_outputs_of_two_steps_are_never_seen_together() -> None:
    pair = Pair()
    run(Graph().add("split", Split()).add("pair", pair, left="split.left", right="split.right"), 0.05)
    assert pair.seen == [(1, 1), (2, None), (3, 3), (4, None), (5, 5), (6, None)]


def test_an_output_whose_wire_states_its_own_age_is_taken_by_that_and_of_whichever_step() -> None:
    pair = Pair()
    graph = Graph().add("split", Split()).add("pair", pair, left="split.left", right=Wire("split.right", 15_000_000))
    run(graph, 0.05)
    assert pair.seen == [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5)]


def test_what_was_published_cannot_be_changed_by_anyone() -> None:
    class Vandal(Node):
        def step(self, joints: JointState) -> None:
            joints.position[0] = 99.0

    with pytest.raises(NodeFailed, match="read-only"):
        run(Graph().add("clock", Clock()).add("vandal", Vandal(), joints="clock"))


def test_a_node_that_raises_ends_the_run_with_its_name_tag_and_inputs() -> None:
    graph = Graph().add("clock", Clock()).add("press", Breaks(), joints="clock")
    with pytest.raises(NodeFailed) as caught:
        run(graph)
    text = str(caught.value)
    assert "node 'press' failed in step() at 0.500000 s (microstep 0): RuntimeError: the belt came off" in text
    assert "joints = JointState(position=[0.49, 0.49]" in text
    assert "nodes.py:" in text
    assert caught.value.exit_code == 3


def test_a_wrong_return_type_is_caught_at_the_wire() -> None:
    with pytest.raises(NodeFailed, match=r"liar.joint_state: expected JointState, got str"):
        run(Graph().add("liar", Liar()))


def test_every_opened_node_is_closed_even_when_one_breaks() -> None:
    closed: list[str] = []

    class Tidy(Clock):
        def close(self) -> None:
            closed.append("tidy")

    class Rude(Clock):
        def open(self) -> None:
            raise OSError("no such port")

        def close(self) -> None:
            closed.append("rude")

    with (
        pytest.raises(NodeFailed, match=r"node 'b' failed in open\(\): OSError: no such port"),
        Lockstep(Graph().add("a", Tidy()).add("b", Rude()).check()),
    ):
        pass
    assert closed == ["rude", "tidy"]


def test_two_traces_name_the_first_topic_and_tag_that_differ() -> None:
    one, other = run(control_loop(), 0.2, 1, trace=True), run(control_loop(), 0.2, 2, trace=True)
    assert one.marks is not None
    assert other.marks is not None
    difference = first_difference(one.marks, other.marks)
    assert str(difference) == "noise.joint_state at 0.000000 s (microstep 1)"
    assert first_difference(one.marks, list(one.marks)) is None
    assert first_difference(one.marks, one.marks[:-1]) == one.marks[-1]


def test_a_tunable_setting_changes_a_run_between_steps() -> None:
    from tests.embodied.nodes import Hold

    hold = Hold(goal=np.zeros(2))
    with Lockstep(Graph().add("clock", Clock()).add("hold", hold, joints="clock").check()) as going:
        going.advance(Time(duration("100ms")))
        going.tune("hold", "kp", 5)
        assert hold.kp == 5
        with pytest.raises(ValueError, match="no node 'hlod'"):
            going.tune("hlod", "kp", 5)


def test_advancing_in_pieces_is_advancing_at_once() -> None:
    pieces = sorted({0, SECOND, *random.Random(7).sample(range(SECOND), 40)})
    with Lockstep(control_loop().check(), seed=3) as going:
        for to in pieces:
            going.advance(Time(to))
        assert going.report().digest == run(control_loop(), 1.0, seed=3).digest
        assert going.wall == going.report().wall > 0.0
    assert all(a < b for a, b in pairwise(pieces))


def test_a_graph_for_the_steady_clock_is_refused() -> None:
    with pytest.raises(LaunchError, match="lockstep is virtual time"):
        Lockstep(Graph(clock="steady").add("clock", Clock()).check())
