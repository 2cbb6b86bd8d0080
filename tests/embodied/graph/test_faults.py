"""What goes wrong in a run: when, how much, and that the seed alone decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied import SECOND, Node, Stamped, Time
from embodied.clock import duration
from embodied.errors import LaunchError
from embodied.graph.entry import Timing
from embodied.graph.faults import KINDS, Fault, streams
from embodied.graph.graph import Graph
from embodied.messages import Depth, Image, JointState
from embodied.node.node import generator
from embodied.node.settings import SettingError
from embodied.runtime.fault_injection import ScheduledFault
from embodied.runtime.lockstep import Lockstep
from embodied.runtime.mailboxes import FOREVER
from embodied.runtime.report import Report
from tests.embodied.nodes import Clock, Double, Listen, Motor, Noise, PassGuard, Ramp, Split

MS = 1_000_000


@dataclass
class Camera(Node):
    """A grey image."""

    rate = 10.0

    def step(self, now: Time) -> Image:
        return Image(data=np.full((8, 8, 3), 250, np.uint8), acquired=now)


def watch(graph: Graph, topic: str, seconds: float = 1.0, seed: int = 0) -> tuple[list[Stamped[Any]], Report]:
    """What is published on a topic, and what came of the run."""
    seen: list[Stamped[Any]] = []
    run = Lockstep(graph.check(), seed=seed)
    run.observe(topic, seen.append)
    with run:
        run.advance(Time(round(seconds * SECOND)))
        return seen, run.report()


def clock() -> Graph:
    return Graph().add("clock", Clock())


def test_a_silent_node_neither_steps_nor_publishes_until_its_time_is_over() -> None:
    seen, report = watch(clock().fault("silence", "clock", at="100ms", for_="50ms"), "clock.joint_state", 0.2)
    assert [one.stamp // MS for one in seen] == [*range(0, 100, 10), *range(150, 201, 10)]
    assert (report.nodes["clock"].steps, report.nodes["clock"].skipped) == (16, 5)
    assert [(str(count.fault), count.steps) for count in report.faults] == [("silence clock at 100 ms for 50 ms", 5)]


def test_a_killed_node_never_comes_back_and_what_it_was_computing_is_lost() -> None:
    graph = clock().add("double", Double(), timing=Timing.of(latency="25ms"), joints="clock")
    seen, report = watch(graph.fault("kill", "double", at="60ms"), "double.joint_state")
    assert [one.stamp // MS for one in seen] == [25, 50]
    assert (report.nodes["double"].steps, report.nodes["double"].lost) == (3, 1)
    assert report.topics["double.joint_state"].published == 2


def test_a_dropped_step_publishes_nothing_and_is_counted() -> None:
    seen, report = watch(clock().fault("drop", "clock", share=0.3), "clock.joint_state")
    assert report.nodes["clock"].steps == 101
    assert report.nodes["clock"].lost == report.faults[0].steps == 101 - len(seen)
    assert 10 < report.nodes["clock"].lost < 60
    assert all(one.sequence == one.stamp // (10 * MS) for one in seen)


def test_a_larger_share_drops_all_that_a_smaller_one_does() -> None:
    few, many = (
        {one.stamp for one in watch(clock().fault("drop", "clock", share=share), "clock.joint_state", seed=4)[0]}
        for share in (0.2, 0.6)
    )
    assert many < few


def test_a_delay_adds_to_the_latency_while_it_lasts() -> None:
    graph = Graph().add("clock", Clock(), timing=Timing.of(rate=10)).add("double", Double(), joints="clock")
    seen, report = watch(graph.fault("delay", "double", by="30ms", at="200ms", for_="200ms"), "double.joint_state", 0.5)
    assert [one.stamp // MS for one in seen] == [0, 100, 230, 330, 400, 500]
    assert [one.value.acquired // MS for one in seen] == [0, 100, 200, 300, 400, 500]
    assert report.faults[0].steps == 2


def test_a_stuck_output_goes_on_with_its_last_value_under_fresh_stamps() -> None:
    seen, _ = watch(clock().fault("stuck", "clock.joint_state", at="45ms", for_="30ms"), "clock.joint_state", 0.1)
    assert [one.value.acquired // MS for one in seen] == [0, 10, 20, 30, 40, 40, 40, 40, 80, 90, 100]
    assert [one.stamp // MS for one in seen] == list(range(0, 101, 10))
    assert [one.sequence for one in seen] == list(range(11))


def test_an_output_that_is_stuck_from_the_start_repeats_its_first_value_even_where_there_is_none() -> None:
    seen, _ = watch(Graph().add("split", Split()).fault("stuck", "split.right"), "split.right", 0.05)
    assert [one.value.position[0] for one in seen] == [1.0] * 6


def test_nothing_but_the_output_that_is_stuck_is_old() -> None:
    seen, _ = watch(Graph().add("split", Split()).fault("stuck", "split.right"), "split.left", 0.05)
    assert [one.value.position[0] for one in seen] == [1, 2, 3, 4, 5, 6]


def test_noise_has_the_standard_deviation_that_was_asked_for_in_one_field_only() -> None:
    seen, report = watch(clock().fault("noise", "clock", field="position", sd=0.01), "clock.joint_state", 20.0)
    errors = np.array([one.value.position - one.value.acquired / 1e9 for one in seen])
    assert abs(errors.std() - 0.01) < 0.0005
    assert abs(errors.mean()) < 0.0005
    assert all(not one.value.velocity.any() for one in seen)
    assert report.faults[0].steps == len(seen) == 2001


def test_a_noisy_image_is_rounded_and_stays_within_its_range() -> None:
    seen, _ = watch(Graph().add("camera", Camera()).fault("noise", "camera", field="data", sd=20), "camera.image")
    data = np.array([one.value.data for one in seen])
    assert data.dtype == np.uint8
    assert (data.min() < 220, data.max()) == (True, 255)


def test_where_a_depth_camera_measured_nothing_there_is_no_noise() -> None:
    class Deep(Node):
        rate = 10.0

        def step(self, now: Time) -> Depth:
            return Depth(data=np.array([[0.0, 1.0]], np.float32), acquired=now)

    seen, _ = watch(Graph().add("deep", Deep()).fault("noise", "deep", field="data", sd=0.1), "deep.depth")
    data = np.array([one.value.data for one in seen])
    assert not data[..., 0].any()
    assert data[..., 1].std() > 0.05


def test_noise_on_what_a_driver_says_never_reaches_the_body_itself() -> None:
    moved = []
    for sd in (0.0, 1.0):
        motor = Motor()
        graph = Graph().add("motor", motor, command="guard").add("guard", PassGuard(), command="ramp")
        graph.add("ramp", Ramp(), joints="motor.state").fault("noise", "motor.applied", field="position", sd=sd)
        watch(graph, "motor.state", 0.1)
        moved.append(motor.position[0])
    assert moved[0] == moved[1] > 0


FAULTS: list[Callable[[Graph], Graph]] = [
    lambda g: g.fault("silence", "noise", at={"from": 0, "to": "200ms"}, for_={"from": "10ms", "to": "60ms"}),
    lambda g: g.fault("silence", "noise", at={"from": 0, "to": "200ms"}, for_={"from": "10ms", "to": "60ms"}),
    lambda g: g.fault("silence", "noise", at={"from": "100ms", "to": "300ms"}, for_="10ms"),
    lambda g: g.fault("drop", "clock", share=0.3),
    lambda g: g.fault("delay", "double", by="7ms", at={"from": 0, "to": "100ms"}),
    lambda g: g.fault("noise", "double", field="position", sd=0.1),
]


def broken(nodes: list[int], faults: list[int]) -> Graph:
    graph = Graph()
    parts: list[Callable[[Graph], Graph]] = [
        lambda g: g.add("clock", Clock()),
        lambda g: g.add("noise", Noise()),
        lambda g: g.add("double", Double(), joints="noise"),
        lambda g: g.add("listen", Listen(), joints="double"),
        lambda g: g.add("other", Listen(), joints="clock"),
    ]
    for index in nodes:
        parts[index](graph)
    for index in faults:
        FAULTS[index](graph)
    return graph


@given(st.permutations(range(5)), st.permutations(range(6)), st.integers(0, 1000))
@settings(max_examples=15)
def test_neither_the_order_of_nodes_nor_that_of_faults_changes_a_run(
    nodes: list[int], faults: list[int], seed: int
) -> None:
    _, listed = watch(broken(list(range(5)), list(range(6))), "clock.joint_state", 0.3, seed)
    _, mixed = watch(broken(nodes, faults), "clock.joint_state", 0.3, seed)
    assert listed.digest == mixed.digest
    assert {str(count) for count in listed.faults} == {str(count) for count in mixed.faults}


def test_another_seed_draws_other_times_within_the_range_and_equal_faults_differ() -> None:
    about = {"at": {"from": "1s", "to": "8s"}, "for": {"from": "100ms", "to": "900ms"}}
    fault = Fault.of("silence", "detector", about)
    strikes = [ScheduledFault.drawn(*drawn) for seed in range(50) for drawn in streams([fault, fault], seed)]
    assert len({strike.start for strike in strikes}) == 100
    assert all(SECOND <= strike.start <= 8 * SECOND for strike in strikes)
    assert all(100 * MS <= strike.end - strike.start <= 900 * MS for strike in strikes)
    assert max(strike.start for strike in strikes) > 7 * SECOND


def test_a_fault_that_never_strikes_leaves_the_digest_alone() -> None:
    graph = clock().fault("drop", "clock", share=0).fault("kill", "clock", at="2s").fault("silence", "clock", for_=0)
    _, healed = watch(graph, "clock.joint_state")
    assert healed.digest == watch(clock(), "clock.joint_state")[1].digest
    assert [count.steps for count in healed.faults] == [0, 0, 0]


def test_faults_change_no_age_and_no_reaction() -> None:
    def graph() -> Graph:
        made = Graph().add("motor", Motor(), command="guard").add("guard", PassGuard(), command="ramp")
        return made.add("ramp", Ramp(), joints="motor.state")

    well, ill = graph().check(), graph().fault("delay", "ramp", by="1s").fault("kill", "guard").check()
    assert well.reactions == ill.reactions
    assert {n: p.sources for n, p in well.nodes.items()} == {n: p.sources for n, p in ill.nodes.items()}


def test_a_driver_sees_the_death_of_its_guard_within_the_age_of_a_command() -> None:
    graph = Graph().add("motor", Motor(), command="guard").add("guard", PassGuard(), command="ramp")
    graph.add("ramp", Ramp(), joints="motor.state").fault("kill", "guard", at="100ms")
    (within,) = [r.within for r in graph.check().reactions if r.node == "guard"]
    assert within is not None
    seen, _ = watch(graph, "motor.applied", 0.5)
    assert 100 * MS < seen[-1].stamp <= 100 * MS + within


def test_what_goes_wrong_at_the_present_moment_is_counted_like_what_was_planned() -> None:
    seen: list[Stamped[JointState]] = []
    run = Lockstep(clock().check())
    run.observe("clock.joint_state", seen.append)
    with run:
        run.advance(Time(duration("100ms")))
        run.fault("silence", "clock", for_="45ms")
        run.fault("stuck", "clock.joint_state", at="60ms")
        run.advance(Time(duration("200ms")))
        counts = run.report().faults
    assert [one.stamp // MS for one in seen] == [*range(0, 101, 10), *range(150, 201, 10)]
    assert [one.value.acquired // MS for one in seen[-5:]] == [150, 150, 150, 150, 150]
    assert [str(count.fault) for count in counts] == [
        "silence clock at 100 ms for 45 ms",
        "stuck clock.joint_state at 160 ms",
    ]
    assert [count.steps for count in counts] == [4, 5]


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(10**400), 10**400),
    st.text("0123456789.-mns ", max_size=6),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["from", "to", "at"]), st.sampled_from(["1s", "2s", "x", "0"]), max_size=3),
)


@given(
    st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(["at", "for", "share", "by", "field", "sd"]), JUNK)
)
@settings(max_examples=200)
def test_whatever_is_written_is_a_fault_within_bounds_or_one_sentence(kind: str, about: dict[str, Any]) -> None:
    try:
        fault = Fault.of(kind, "arm.state", about)
    except SettingError as error:
        assert error.path[0] in (kind, *about)
        return
    strike = ScheduledFault.drawn(fault, generator(0, kind))
    assert 0 <= strike.start <= strike.end <= FOREVER
    assert (0 <= fault.share <= 1, fault.sd >= 0, fault.by >= 0) == (True, True, True)


def test_a_fault_that_cannot_be_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(LaunchError, match="did you mean 'silence'"):
        clock().fault("silense", "clock")
    with pytest.raises(LaunchError, match="no output 'joints'"):
        clock().fault("stuck", "clock.joints").check()
    with Lockstep(clock().check()) as run, pytest.raises(ValueError, match="no node 'clok'"):
        run.fault("kill", "clok")
