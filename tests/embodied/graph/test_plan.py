from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from embodied import Node, Ports
from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.entry import Timing, Wire
from embodied.graph.graph import Graph
from embodied.graph.plan import Reaction
from embodied.messages import JointCommand, JointState, Pose, Target
from tests.embodied.nodes import Clock, Double, Meet, Motor, Once, PassGuard, Pointer, Ramp, joints


def codes(graph: Graph) -> list[str]:
    with pytest.raises(LaunchError) as caught:
        graph.check()
    return [problem.code for problem in caught.value.problems]


@dataclass
class Sized(Node):
    """A state of a stated size and frame."""

    n: int = 2
    frame: str = "base"

    rate = 100.0

    def ports(self) -> Ports:
        return super().ports().refine("pose", frame=self.frame)

    def step(self) -> Pose:
        return Pose(position=np.zeros(3), orientation=np.array([0.0, 0, 0, 1]), frame=self.frame)


@dataclass
class Wants(Node):
    """Takes a pose in one frame."""

    frame: str = "base"

    def ports(self) -> Ports:
        return super().ports().refine("pose", frame=self.frame)

    def step(self, pose: Pose) -> None: ...


@dataclass
class Modes(Motor):
    """A motor that takes positions only."""

    def ports(self) -> Ports:
        return super().ports().refine("command", modes=frozenset({"position"}))


@dataclass
class Torques(PassGuard):
    """A guard that gives efforts."""

    def ports(self) -> Ports:
        return super().ports().refine("joint_command", modes=frozenset({"effort"}))


@dataclass
class Picky(Clock):
    """Finds fault with its own settings."""

    def check(self) -> Any:
        yield "the moon is in the wrong house"


def test_frames_sizes_and_modes_of_the_two_ends_must_agree() -> None:
    Graph().add("a", Sized()).add("b", Wants(), pose="a").check()
    assert codes(Graph().add("a", Sized()).add("b", Wants("camera"), pose="a")) == ["E305"]
    graph = Graph().add("m", Modes(), command="g").add("g", Torques(), command="r").add("r", Ramp(), joints="m.state")
    assert codes(graph) == ["E305"]


def test_a_node_may_refuse_its_own_settings() -> None:
    assert codes(Graph().add("a", Picky())) == ["E207"]


def test_a_bare_node_name_means_its_first_output() -> None:
    plan = (
        Graph().add("m", Motor(), command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m").check()
    )
    assert plan.nodes["r"].sources["joints"].topic == "m.state"


def test_ages_follow_the_rate_of_the_source_and_an_event_source_inherits_its_triggers() -> None:
    graph = Graph().add("clock", Clock(), timing=Timing.of(rate=10)).add("double", Double(), joints="clock")
    plan = graph.add("again", Double(), joints="double").check()
    assert plan.nodes["double"].sources["joints"].max_age == 300_000_000
    assert plan.nodes["again"].sources["joints"].max_age == 300_000_000


def test_a_command_is_stale_after_three_periods_and_never_later_than_50_ms() -> None:
    def age(rate: float) -> int | None:
        graph = Graph().add("m", Motor(), command="g").add("r", Ramp(), timing=Timing.of(rate=rate), joints="m")
        return graph.add("g", PassGuard(), command="r").check().nodes["g"].sources["command"].max_age

    assert age(100) == 30_000_000
    assert age(40) == 50_000_000
    graph = Graph().add("m", Motor(), command="g").add("r", Ramp(), timing=Timing.of(rate=39), joints="m")
    assert codes(graph.add("g", PassGuard(), command="r")) == ["E404"]


def test_drivers_and_guards_need_a_rate() -> None:
    @dataclass
    class Slack(Motor):
        rate = None  # type: ignore[assignment]

    graph = Graph().add("m", Slack(), command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m")
    assert "E402" in codes(graph)


def test_a_node_that_would_never_run_is_found() -> None:
    class Idle(Node):
        def step(self, joints: JointState | None) -> JointState | None:
            return joints

    assert codes(Graph().add("idle", Idle())) == ["E304"]


def test_a_dead_node_is_followed_to_the_hold_of_every_actuator() -> None:
    graph = Graph().add("m", Motor(), command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m.state")
    reactions = graph.check().reactions
    # Its command is stale after three periods; the guard sees that at its next tick, and the motor at its own.
    assert Reaction("m", "r", 50_000_000) in reactions
    assert Reaction("m", "g", 40_000_000) in reactions


def test_a_node_knows_which_of_its_inputs_are_wired() -> None:
    graph = Graph().add("clock", Clock()).add("meet", Meet(), a="clock", c="clock")
    assert graph.entries["meet"].node.wired == {"a", "c"}
    assert graph.entries["clock"].node.wired == frozenset()
    assert Meet().wired == frozenset()


def test_a_frozen_node_does_not_take_its_wires() -> None:
    @dataclass(frozen=True)
    class Ice(Node):
        def step(self, joints: JointState) -> None: ...

    with pytest.raises(LaunchError, match="does not take its wires"):
        Graph().add("ice", Ice(), joints="clock")


class Ranked(PassGuard):
    """Is commanded by two, and must know the joints."""

    def step(  # type: ignore[override]
        self, command: JointCommand | None, operator: JointCommand | None, joints: JointState | None
    ) -> JointCommand:
        return operator or command or JointCommand(position=np.zeros(2))


def ranked(**wires: Any) -> Graph:
    graph = Graph().add("m", Motor(), command="g").add("g", Ranked(), **wires)
    for name in ("low", "high"):
        graph.add(name, Ramp(), joints="m.state")
    return graph


def test_the_silence_of_an_operator_leaves_the_policy_in_charge_and_that_of_the_last_who_commands_holds() -> None:
    def within(graph: Graph, node: str) -> int | None:
        (found,) = [r.within for r in graph.check().reactions if r.node == node]
        return found

    both = ranked(command="low", operator="high")
    assert within(both, "high") is None
    assert within(both, "low") == 50_000_000
    assert within(ranked(operator="high"), "high") == 50_000_000


def test_what_a_guard_must_know_comes_at_a_known_rate_or_states_when_it_is_silent() -> None:
    class Asked(Node):
        def step(self, target: Target) -> JointState:
            return joints()

    graph = ranked(command="low", joints="asked").add("once", Once()).add("asked", Asked(), target="once")
    assert codes(graph) == ["E408"]
    graph.entries["g"].wires["joints"] = Wire("asked", max_age=100_000_000)
    graph.check()


def test_two_nodes_of_one_name_and_names_that_are_none_are_refused() -> None:
    graph = Graph().add("a", Clock())
    with pytest.raises(LaunchError, match="two nodes named 'a'"):
        graph.add("a", Clock())
    for name in ("A", "1a", "a.b", "", "a/", "ä"):
        with pytest.raises(LaunchError, match="not a name"):
            graph.add(name, Clock())


def test_a_wire_from_python_is_checked_like_one_from_a_file() -> None:
    assert codes(Graph().add("a", Double(), joints="b")) == ["E302"]
    assert codes(Graph().add("p", Pointer()).add("a", Double(), joints=Wire("p"))) == ["E303"]
    assert codes(Graph().add("a", Clock(), joints="a")) == ["E301"]


def test_the_nearest_name_is_offered_else_the_known_ones() -> None:
    assert nearest("jionts", ["joints", "pose"]) == ("did you mean 'joints'?",)
    assert nearest("xyz", ["joints", "pose"]) == ("known: joints, pose",)
    assert nearest("xyz", []) == ()
    assert "error[E999]: a thing" in str(Problem("E999", "a thing", where="node a"))


def test_timing_is_read_as_people_write_it() -> None:
    assert Timing.of(rate=30, latency="15ms", jitter="1ms").latency == 15_000_000
    for wrong in ({"rate": 0}, {"rate": True}, {"latency": "soon"}, {"latency": 3}, {"jitter": -1}):
        with pytest.raises(ValueError, match="expected"):
            Timing.of(**wrong)
