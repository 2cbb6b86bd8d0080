"""Code that is not ours may do anything; it costs one clear error, and nothing else."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied import SECOND, Driver, Guard, Identity, Node, Time
from embodied.errors import LaunchError, MissingExtra, NodeFailed, WireError, WorldFailed
from embodied.graph.entry import Timing
from embodied.graph.graph import Graph
from embodied.interrupts import Interrupted, handled
from embodied.launch import Overrides, load
from embodied.messages import Goal, JointCommand, JointState
from embodied.runtime.lockstep import Lockstep
from tests.embodied.cli.test_cli import command, simulated
from tests.embodied.conftest import Command
from tests.embodied.launch.test_bad_input import GOOD, NODES, problems
from tests.embodied.nodes import Arm, Clock, Motor, PassGuard, Ramp, joints
from tests.embodied.suite.waiting import Waiting


@dataclass
class Exits(Clock):
    """Exits its process in the call that its setting names."""

    where: str = "step"

    def ports(self) -> Any:
        if self.where == "ports":
            raise SystemExit(0)
        return super().ports()

    def check(self) -> Any:
        if self.where == "check":
            raise BrokenPipeError
        return None if self.where == "none" else ()

    def open(self) -> None:
        if self.where == "open":
            raise SystemExit(0)

    def step(self, now: Time) -> JointState:
        if self.where == "step":
            raise SystemExit(0)
        return super().step(now)


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


@dataclass
class Noisy(Node):
    """Prints, and breaks without a word when it is closed."""

    rate = 10.0
    closes: bool = True

    def step(self) -> JointState:
        print("hello")
        return joints()

    def close(self) -> None:
        if not self.closes:
            raise Mute


@dataclass
class Interrupts(Exits):
    """Raises in a call what Ctrl-C raises; or presses it in its step."""

    def open(self) -> None:
        if self.where == "open":
            raise KeyboardInterrupt

    def step(self, now: Time) -> JointState:
        if self.where == "step":
            raise KeyboardInterrupt
        if self.where == "pressed":
            signal.raise_signal(signal.SIGINT)
        return joints()

    def close(self) -> None:
        if self.where == "close":
            raise KeyboardInterrupt


def run(graph: Graph) -> None:
    with Lockstep(graph.check()) as going:
        going.advance(Time(SECOND))


@pytest.mark.parametrize("where", ["open", "step"])
def test_an_exit_inside_a_node_is_a_failure_and_never_a_pass(where: str) -> None:
    with pytest.raises(NodeFailed, match=rf"node 'a' failed in {where}\(\).*SystemExit"):
        run(Graph().add("a", Exits(where=where)))


@pytest.mark.parametrize("where", ["open", "step", "close"])
def test_a_keyboard_interrupt_that_a_node_raises_is_its_failure_and_one_that_a_person_makes_is_none(where: str) -> None:
    graph = Graph().add("a", Interrupts(where=where))
    with handled(), pytest.raises(NodeFailed, match=rf"node 'a' failed in {where}\(\).*KeyboardInterrupt"):
        run(graph)
    # Where the signal is Python's, nobody can tell them apart.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(graph)
        with handled(), pytest.raises(Interrupted):
            run(Graph().add("a", Interrupts(where="pressed")))
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("call", ["reset", "about", "advance", "verdict"])
def test_a_keyboard_interrupt_that_a_world_raises_is_its_failure(call: str) -> None:
    def interrupts(*_: Any) -> Any:
        raise KeyboardInterrupt

    world = Waiting()
    vars(world)[call] = interrupts
    with (
        handled(),
        pytest.raises(WorldFailed, match=r"the world failed to .*: KeyboardInterrupt"),
        Lockstep(Graph(world=world).add("a", Clock()).check()) as going,
    ):
        going.advance(Time(SECOND))
        going.verdict()


@pytest.mark.parametrize(("where", "code"), [("ports", "E209"), ("check", "E207"), ("none", "E207")])
def test_ports_and_checks_that_raise_are_problems_of_their_node(where: str, code: str) -> None:
    with pytest.raises(LaunchError) as caught:
        Graph().add("a", Exits(where=where)).check()
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_world_that_cannot_say_what_it_depends_on_leaves_no_node_open() -> None:
    closed: list[str] = []

    class Vague(Waiting):
        def about(self) -> Any:
            raise OSError("no driver")

    class Tidy(Clock):
        def close(self) -> None:
            closed.append("a")

    with pytest.raises(WorldFailed, match="failed to say what it depends on: OSError: no driver"):
        run(Graph(world=Vague()).add("a", Tidy()))
    assert closed == ["a"]


def test_a_missing_extra_is_one_problem_with_the_command_that_brings_it() -> None:
    class Lacks(Clock):
        def check(self) -> Any:
            raise MissingExtra("torch", "train", "training")

    with pytest.raises(LaunchError) as caught:
        Graph().add("a", Lacks()).check()
    (problem,) = caught.value.problems
    assert problem.code == "E208"
    assert "training needs torch: pip install 'embodied-robotics[train]'" in problem.message


def test_the_first_failure_is_told_and_one_at_closing_is_added_to_it() -> None:
    class Both(Noisy):
        def step(self) -> JointState:
            raise ValueError("first cause")

    with pytest.raises(NodeFailed, match="first cause") as caught:
        run(Graph().add("a", Both(closes=False)))
    assert "Mute: (its message cannot be read)" in caught.value.__notes__[0]


def test_a_node_that_forgets_to_return_is_told_so() -> None:
    class Forgets(Clock):
        def step(self, now: Time) -> JointState:
            return None  # type: ignore[return-value]

    with pytest.raises(NodeFailed, match=r"a.joint_state: is not declared optional, and is None") as caught:
        run(Graph().add("a", Forgets()))
    assert isinstance(caught.value.cause, WireError)
    assert "test_failures.py" in caught.value.location


def test_commands_may_not_come_as_a_list_since_a_list_never_goes_stale() -> None:
    class Queue(Driver):
        rate = 100.0

        def identify(self) -> Identity:
            return Motor().identify()

        def step(self, command: list[JointCommand]) -> Arm:
            return Arm(joints(), None)

    graph = Graph().add("m", Queue(), command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m")
    with pytest.raises(LaunchError, match="E602"):
        graph.check()


def test_latencies_of_the_guard_and_of_the_arm_lengthen_the_time_that_is_stated() -> None:
    def within(guard: str = "0ms", motor: str = "0ms") -> int:
        graph = Graph().add("m", Motor(), timing=Timing.of(latency=motor), command="g")
        graph.add("g", PassGuard(), timing=Timing.of(latency=guard), command="r").add("r", Ramp(), joints="m")
        (found,) = [r.within for r in graph.check().reactions if r.node == "r"]
        assert found is not None
        return found

    assert within() == 50_000_000
    assert within(guard="5ms") == 55_000_000
    assert within(motor="25ms") == 95_000_000


def test_a_frame_that_only_the_taker_names_is_held_at_the_wire() -> None:
    class Wants(Node):
        def ports(self) -> Any:
            return super().ports().refine("goal", frame="base")

        def step(self, goal: Goal) -> None: ...

    class Gives(Node):
        rate = 10.0

        def step(self) -> Goal:
            return Goal(position=np.zeros(3), approach=np.array([0, 0, -1.0]), yaw=0.0, gripper=0.0, frame="banana")

    with pytest.raises(NodeFailed, match="expected the frame 'base', got str 'banana'"):
        run(Graph().add("a", Gives()).add("b", Wants(), goal="a"))


def test_the_past_is_not_advanced_to() -> None:
    with Lockstep(Graph().add("a", Clock()).check()) as going:
        going.advance(Time(SECOND))
        for wrong in (Time(0), 2.5e9 + 0.5):
            with pytest.raises(ValueError, match="cannot advance"):
                going.advance(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("section", ["args:", "include:", "processes:", "profiles:", "robots:"])
def test_an_empty_section_is_nothing(section: str, tmp_path: Path) -> None:
    (tmp_path / "cell.yaml").write_text(GOOD + section + "\n", encoding="utf-8")
    load(tmp_path / "cell.yaml").graph().check()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (':Clock"}', ":Clock\", rate: '1e99999999'}", "E401"),
        (':Clock"}', ':Clock", rate: 1e-300}', "E401"),
        (':Clock"}', ':Clock", jitter: 99999999999s}', "E405"),
        (':Clock"}', ':Clock", latency: 15}', "E405"),
        ("[0.0, 1.0]", "[0.0, " + "9" * 5000 + "]", "E205"),
        ("[0.0, 1.0]", "[" * 100 + "]" * 100, "E106"),
        ("  hold:", '  "[/red]":', "E103"),
        ("{joints: clock}", "{joints: clock.}", "E302"),
        ("clock: lockstep", "clock: lockstep\nprocesses: [[nope]]", "E302"),
        ("clock: lockstep", "clock: lockstep\nargs: {a: '${args.b}', b: 1}", "E107"),
        ("embodied: 1", "embodied: 1\n# \x07", "E101"),
    ],
)
def test_what_once_hung_or_broke_is_one_problem(before: str, after: str, code: str, tmp_path: Path) -> None:
    assert code in [problem.code for problem in problems(tmp_path, GOOD.replace(before, after, 1))]


def test_includes_that_fan_out_end(tmp_path: Path) -> None:
    for n in range(28):
        text = f"embodied: 1\ninclude: [d{n + 1}.yaml, d{n + 1}.yaml]\n" if n < 27 else GOOD
        (tmp_path / f"d{n}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LaunchError, match="more than 64 files"):
        load(tmp_path / "d0.yaml")


def test_an_argument_may_be_a_list_and_so_may_a_set(tmp_path: Path) -> None:
    text = GOOD.replace("clock: lockstep", "clock: lockstep\nargs: {goal: [3, 4]}").replace(
        "[0.0, 1.0]", '"${args.goal}"'
    )
    (tmp_path / "cell.yaml").write_text(text, encoding="utf-8")
    for overrides, goal in ((Overrides(), [3, 4]), (Overrides(sets=("hold.goal=[5, 6]",)), [5, 6])):
        node = load(tmp_path / "cell.yaml", overrides).graph().entries["hold"].node
        assert node.goal.tolist() == goal  # type: ignore[attr-defined]


def test_two_includes_may_not_describe_one_robot_differently(tmp_path: Path) -> None:
    joint = "{lower: -1, upper: 1, velocity: 1, acceleration: 1, effort: 1, home: 0}"
    robot = f"{{urdf: r.urdf, base: a, tool: {{link: b, position: [0, 0, 0]}}, opening: OPEN, joints: {{j: {joint}}}}}"
    for name, opening in (("one", "0.1"), ("two", "0.2")):
        text = "embodied: 1\nrobots:\n  r: " + robot.replace("OPEN", opening)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = problems(tmp_path, GOOD.replace("clock: lockstep", "clock: lockstep\ninclude: [one.yaml, two.yaml]"))
    assert found[0].code == "E110"


def test_a_site_says_nothing_to_a_device_that_a_profile_replaces(tmp_path: Path) -> None:
    text = GOOD + f'profiles: {{sim: {{nodes: {{hold: {{use: "{NODES}:Double"}}}}}}}}\n'
    (tmp_path / "cell.yaml").write_text(text, encoding="utf-8")
    site = tmp_path / "site.yaml"
    site.write_text("embodied: 1\nnodes: {hold: {with: {kd: 1}}}\n", encoding="utf-8")
    launch = load(tmp_path / "cell.yaml", Overrides(site=site))
    assert launch.graph().entries["hold"].node.kd == 1  # type: ignore[attr-defined]
    assert type(launch.graph("sim").entries["hold"].node).__name__ == "Double"
    site.write_text("embodied: 1\nnodes: {hlod: {with: {kd: 1}}}\n", encoding="utf-8")
    with pytest.raises(LaunchError, match="did you mean 'hold'"):
        load(tmp_path / "cell.yaml", Overrides(site=site)).graph()


def test_json_stands_alone_on_standard_output_whatever_prints(tmp_path: Path, embodied: Command) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text(
        'embodied: 1\nclock: lockstep\nnodes: {a: {use: "tests.embodied.runtime.test_failures:Noisy"}}\n',
        encoding="utf-8",
    )
    done = command("run", str(file), "--for", "1s", "--json", at=tmp_path)
    assert json.loads(done.stdout)["topics"]["a.joint_state"]["published"] == 11
    assert "hello" in done.stderr
    for words in (("run", "--json"), ("run", "x.yaml", "--json"), ("test", "x", "--jobs", "0", "--json")):
        wrong = embodied(*words)
        assert json.loads(wrong.stdout)["exit_code"] == wrong.code == 2


@simulated
def test_two_drivers_may_not_pull_at_one_arm(tmp_path: Path) -> None:
    pick = load("launch/pick_place.yaml").graph("truth")
    graph = Graph(world=pick.world)
    for side in ("left", "right"):
        graph.add(f"{side}/arm", pick.entries["arm"].node, command=f"{side}/guard")
        guard = pick.entries["guard"].node
        assert isinstance(guard, Guard)
        graph.add(f"{side}/guard", guard, command=f"{side}/ik", joints=f"{side}/arm")
        graph.add(f"{side}/ik", pick.entries["ik"].node, joints=f"{side}/arm")
    with pytest.raises(LaunchError, match="'left/arm' and 'right/arm' both need the arm 'arm'"):
        graph.check()
