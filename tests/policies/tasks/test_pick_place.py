import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.clock import Time
from embodied.geometry import BASE, quaternion, tool_rotation
from embodied.messages import Detections, Goal, GripperState, Pose, Target
from policies.motion.grasp import Fingers, grasp_yaw
from policies.perception.block_averaging import Block, BlockAverager, Grasp
from policies.tasks.pick_place import DOWN, PickPhase, PickPlace

HOME = (0.28, 0.0, 0.42)
Seen = tuple[str, tuple[float, float, float], float]


def detections(*seen: Seen, tick: int = 0) -> Detections:
    return Detections(
        labels=tuple(label for label, _, _ in seen),
        position=np.array([at for _, at, _ in seen]).reshape(-1, 3),
        yaw=np.array([yaw for _, _, yaw in seen]),
        score=np.ones(len(seen)),
        frame=BASE,
        acquired=Time(tick * 100_000_000),
    )


class Cell:
    """Tool that follows every goal at once, and a gripper that closes on what lies between its fingers."""

    def __init__(self, policy: PickPlace, *seen: Seen) -> None:
        self.policy, self.seen, self.tick = policy, list(seen), 0
        self.graspable = True
        self.sag = 0.0  # [m]
        self.goal = Goal(position=np.array(HOME), approach=DOWN, yaw=0.0, gripper=0.08, frame=BASE)
        self.goals: list[Goal] = []
        policy.open()

    def width(self) -> float:
        return self.goal.gripper if self.goal.gripper > 0.04 else 0.042 if self.graspable else 0.0

    def step(self) -> Goal:
        turn = quaternion(tool_rotation(DOWN, self.goal.yaw))
        tcp = Pose(position=self.goal.position - [0.0, 0.0, self.sag], orientation=turn, frame=BASE)
        now = Time(self.tick * 100_000_000)
        gripper = GripperState(width=self.width(), speed=0.0, force=0.0, acquired=now)
        self.goal = self.policy.step(detections(*self.seen, tick=self.tick), tcp, gripper, Target(label="red"), now)
        self.goals.append(self.goal)
        self.tick += 1
        return self.goal

    def phase(self) -> PickPhase:
        return self.policy.phase

    def phases(self, steps: int) -> list[PickPhase]:
        met = [self.policy.phase]
        for _ in range(steps):
            self.step()
            if self.policy.phase is not met[-1]:
                met.append(self.policy.phase)
        return met


RED: Seen = ("red", (0.5, -0.1, 0.02), 0.3)


def test_an_undisturbed_run_goes_through_every_phase_and_ends_with_a_look() -> None:
    cell = Cell(PickPlace(), RED)
    assert cell.phases(40)[: len(PickPhase) + 1] == [*PickPhase, PickPhase.VIEW]


def test_it_lets_go_in_the_middle_of_the_tray() -> None:
    cell = Cell(PickPlace(), RED)
    cell.phases(40)
    closed = [goal.gripper < 0.04 for goal in cell.goals]
    opened = next(i for i in range(1, len(closed)) if closed[i - 1] and not closed[i])
    assert cell.goals[opened].position == pytest.approx([0.42, 0.38, cell.policy.release])


def test_a_tool_that_sags_goes_on_from_where_it_rests_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cell = Cell(PickPlace(), RED)
    cell.sag = 0.0095
    assert cell.phases(80)[: len(PickPhase) + 1] == [*PickPhase, PickPhase.VIEW]
    assert "the tool rests 9.5 mm from its goal, and goes on from there\n" in capsys.readouterr().out
    wide = Cell(PickPlace(tolerance=0.01), RED)
    wide.sag = 0.0095
    assert wide.phases(40)[: len(PickPhase) + 1] == [*PickPhase, PickPhase.VIEW]
    assert capsys.readouterr().out == ""


def test_a_tool_that_stays_too_far_starts_over_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cell = Cell(PickPlace(reach=0.008), RED)
    cell.sag = 0.0095
    met = cell.phases(120)
    assert PickPhase.DESCEND not in met
    assert met.count(PickPhase.RISE) >= 2
    assert "the tool is 9.5 mm from its goal after 4.1 s: starts over" in capsys.readouterr().out


def test_settings_of_what_counts_as_there_are_looked_at() -> None:
    for wrong, says in (
        ({"tolerance": 0.0}, "tolerance must be above 0 m and finite, got 0.0"),
        ({"rest": math.nan}, "rest must be above 0 s and finite, got nan"),
        ({"reach": 0.005}, "reach must be at least tolerance = 0.006 m, got 0.005"),
    ):
        assert says in list(PickPlace(**wrong).check())  # type: ignore[arg-type]


def test_after_a_missed_grasp_it_opens_rises_and_looks_again() -> None:
    cell = Cell(PickPlace(), RED)
    cell.graspable = False
    met = cell.phases(25)
    at = met.index(PickPhase.CLOSE)
    assert met[at : at + 4] == [PickPhase.CLOSE, PickPhase.RISE, PickPhase.VIEW, PickPhase.ABOVE]
    assert cell.goals[-1].gripper > 0.06


def test_a_block_lost_on_the_way_is_looked_for_again() -> None:
    cell = Cell(PickPlace(), RED)
    while cell.phase() is not PickPhase.CARRY:
        cell.step()
    cell.graspable = False
    cell.step()
    assert cell.phase() is PickPhase.RISE
    assert cell.goal.gripper > 0.06


def test_pushed_aside_on_the_way_down_it_goes_up_again() -> None:
    cell = Cell(PickPlace(), RED)
    while cell.phase() is not PickPhase.DESCEND:
        cell.step()
    beside = cell.goal.position + np.array([0.03, 0.0, 0.06])
    cell.goal = Goal(position=beside, approach=DOWN, yaw=cell.goal.yaw, gripper=0.075, frame=BASE)
    cell.step()
    assert cell.phase() is PickPhase.ABOVE


def test_while_nothing_is_seen_it_waits_where_it_began() -> None:
    cell = Cell(PickPlace(), ("blue", (0.5, 0.1, 0.02), 0.0))
    assert cell.phases(50) == [PickPhase.VIEW]
    assert all(goal.position == pytest.approx(HOME) for goal in cell.goals)


def test_a_block_in_the_tray_is_left_there() -> None:
    assert Cell(PickPlace(), ("red", (0.45, 0.35, 0.024), 0.0)).phases(50) == [PickPhase.VIEW]


def test_no_phase_lasts_longer_than_its_patience() -> None:
    cell = Cell(PickPlace(patience=1.0), RED)
    while cell.phase() is not PickPhase.ABOVE:
        cell.step()
    met = []
    for _ in range(12):
        cell.goal = Goal(position=np.array(HOME), approach=DOWN, yaw=0.0, gripper=0.075, frame=BASE)
        cell.step()
        met.append(cell.phase())
    assert met.index(PickPhase.RISE) == 10


@pytest.mark.parametrize("beside", [0.0, math.pi / 2])
def test_the_fingers_come_down_where_nothing_stands(beside: float) -> None:
    at = np.array([0.5, 0.0])
    blocked = [at + 0.05 * np.array([-math.sin(beside), math.cos(beside)])]
    turn = grasp_yaw(at, 0.0, blocked, Fingers())
    assert abs(math.remainder(turn - beside, math.pi)) == pytest.approx(math.pi / 2)


@given(st.floats(0.3, 0.6), st.floats(-0.3, 0.3), st.floats(-math.pi / 4, math.pi / 4))
def test_alone_a_block_is_taken_with_the_smaller_turn(x: float, y: float, yaw: float) -> None:
    turn = grasp_yaw(np.array([x, y]), yaw, [], Fingers())
    assert abs(turn - math.atan2(y, x)) <= math.pi / 4 + 1e-9
    assert math.remainder(turn - yaw, math.pi / 2) == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=8), st.floats(-math.pi, math.pi))
def test_detections_that_differ_by_quarter_turns_agree(errors: list[float], yaw: float) -> None:
    block = Block(np.zeros(3), yaw, 1)
    for quarter, _ in enumerate(errors):
        block = block.averaged(np.zeros(3), yaw + quarter * math.pi / 2)
    assert math.remainder(block.yaw - yaw, math.pi / 2) == pytest.approx(0.0, abs=1e-9)


def test_a_grasp_is_the_mean_of_the_detections() -> None:
    averager = BlockAverager(3, (0.42, 0.38), 0.1, Fingers())
    found: Grasp | None = None
    for tick, dx in enumerate((-0.003, 0.001, 0.002)):
        assert found is None
        found = averager.update(detections(("red", (0.5 + dx, 0.0, 0.02), 0.1), tick=tick), "red")
    assert found is not None
    assert found.position == pytest.approx([0.5, 0.0, 0.02])


def test_settings_that_contradict_each_other_are_refused() -> None:
    assert list(PickPlace().check()) == []
    assert len(list(PickPlace(opening=0.03, hover=0.01, looks=0).check())) == 3
