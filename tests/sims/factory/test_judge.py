from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from embodied.messages import Vector
from embodied.world import Verdict
from sims.factory.judge import Delivery, FactoryJudge, FactoryState
from sims.judging import BlockMotion, Flight

LOOKS = 20
GOAL = Delivery(
    load="red",
    size=0.04,
    bed=np.array([0.12, 0.0, 0.30]),
    inside=(0.17, 0.14),
    nose=0.75,
    line=(np.array([8.0, 0.0]), np.array([1.0, 0.0])),
    hold=1.5,
    pad=np.array([4.0, -2.0]),
    low=np.array([-1.0, -4.0, -0.5]),
    high=np.array([10.0, 6.0, 4.0]),
    limit=60.0,
)
ON_TABLE = np.array([0.45, -0.5, 0.02])
IN_BED = GOAL.bed + np.array([0.0, 0.0, 0.02 - 0.30])  # of a shuttle at the origin, whose ground is at -0.30
STATION = np.array([7.0, 0.0, -0.30])
PAD = np.array([4.0, -2.0, -0.24])


def at_rest(position: Vector) -> BlockMotion:
    return BlockMotion(position, np.eye(3), 0.0, 0.0)


START = FactoryState(
    blocks={"red": at_rest(ON_TABLE), "blue": at_rest(np.array([0.5, -0.4, 0.02]))},
    held=False,
    position=np.array([0.0, 0.0, -0.30]),
    attitude=np.eye(3),
    speed=0.0,
    flight=Flight(PAD, 0.0, 0.0, grounded=True, off=True),
    sight=False,
)


class Run:
    """A judge, how everything is, and the time it has come to."""

    def __init__(self) -> None:
        self.judge = FactoryJudge(GOAL, START, LOOKS)
        self.state = START
        self.count = 0

    def see(self, seconds: float = 0.6) -> None:
        for _ in range(round(seconds * LOOKS)):
            self.count += 1
            self.judge.look(self.count / LOOKS, self.state)

    def put(self, label: str, position: Vector, speed: float = 0.0) -> None:
        moved = BlockMotion(position, np.eye(3), speed, 0.0)
        self.state = replace(self.state, blocks={**self.state.blocks, label: moved})

    def load(self) -> None:
        self.put("red", IN_BED)
        self.see()

    def drive(self, to: Vector = STATION, shift: float = 0.0) -> None:
        self.state = replace(self.state, position=to)
        self.put("red", to + GOAL.bed + np.array([shift, 0.0, 0.02]))
        self.see()

    def fly(self, position: Vector, seconds: float = 0.6, sight: bool = True, tilt: float = 0.0) -> None:
        self.state = replace(self.state, flight=Flight(position, 0.0, tilt, grounded=False, off=False), sight=sight)
        self.see(seconds)

    def inspect(self, error: float = 0.05, photograph: bool = True, sight: bool = True) -> None:
        over = self.state.blocks["red"].position + np.array([error, 0.0, GOAL.hold])
        self.fly(over, 8.0, sight)
        if photograph:
            self.judge.photographed(self.count / LOOKS)
        self.see()

    def land(self, away: float = 0.1) -> None:
        resting = Flight(PAD + np.array([away, 0.0, 0.0]), 0.0, 0.0, grounded=True, off=True)
        self.state = replace(self.state, flight=resting)
        self.see()

    @property
    def verdict(self) -> Verdict:
        assert self.judge.verdict is not None
        return self.judge.verdict


def test_who_loads_drives_inspects_and_lands_passes_and_every_leg_has_its_time() -> None:
    run = Run()
    run.load()
    run.drive()
    run.inspect()
    run.land()
    assert run.verdict.passed, run.verdict.reason
    times = run.verdict.details["legs"]
    assert list(times) == ["load", "deliver", "inspect", "land"]
    assert list(times.values()) == sorted(times.values())
    assert run.verdict.details["hold"] == pytest.approx(0.05)
    assert run.verdict.details["photograph"] == pytest.approx(0.05)
    assert run.verdict.details["short"] == pytest.approx(0.25)
    assert run.verdict.details["pad"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("offset", "why"),
    [
        ((0.16, 0.0, 0.0), "10 mm outside the bed"),
        ((0.0, -0.13, 0.0), "10 mm outside the bed"),
        ((0.0, 0.0, 0.01), "10 mm above the floor of the bed"),
    ],
)
def test_a_block_that_is_not_down_in_the_bed_is_not_loaded(offset: tuple[float, float, float], why: str) -> None:
    run = Run()
    run.put("red", IN_BED + np.array(offset))
    run.see(60.0)
    assert run.verdict.reason == f"after 60 s the red block is {why}"


def test_a_block_that_moves_or_is_still_held_is_not_loaded() -> None:
    run = Run()
    run.put("red", IN_BED, speed=0.03)
    run.see(30.0)
    run.state = replace(run.state, held=True)
    run.put("red", IN_BED)
    run.see(30.0)
    assert run.verdict.reason == "after 60 s the red block is still held"


def test_a_shuttle_that_leaves_before_it_is_loaded_fails() -> None:
    run = Run()
    run.state = replace(run.state, position=START.position + np.array([0.03, 0.0, 0.0]))
    run.see()
    assert run.verdict.reason.startswith("the shuttle left at 0.05 s, and the red block is")


def test_a_drone_that_takes_off_before_the_load_has_arrived_fails() -> None:
    run = Run()
    run.load()
    run.fly(PAD + np.array([0.0, 0.0, 0.2]))
    assert run.verdict.reason.startswith("the drone took off at 0.65 s, and the shuttle's nose is 7.25 m before")


def test_past_the_stop_line_it_fails_at_once() -> None:
    run = Run()
    run.load()
    run.drive(np.array([7.26, 0.0, -0.30]))
    assert run.verdict.reason == "the shuttle's nose is 10 mm past the stop line at 0.65 s"


def test_a_shuttle_that_stops_too_soon_or_never_stands_has_not_arrived() -> None:
    run = Run()
    run.load()
    run.drive(np.array([6.7, 0.0, -0.30]))
    run.see(60.0)
    assert run.verdict.reason == "after 60 s the shuttle's nose is 0.55 m before the stop line, 0.5 allowed"
    run = Run()
    run.load()
    run.state = replace(run.state, speed=0.02)
    run.drive()
    run.see(60.0)
    assert run.verdict.reason == "after 60 s the shuttle still drives"


def test_a_load_that_shifts_by_more_than_2_cm_fails_and_one_that_stays_does_not() -> None:
    run = Run()
    run.load()
    run.drive(shift=0.019)
    assert run.judge.verdict is None
    run.drive(shift=0.021)
    assert run.verdict.reason == "the load shifted 21 mm in its bed by 1.25 s"


def test_another_block_may_be_moved_by_less_than_2_cm() -> None:
    run = Run()
    run.put("blue", START.blocks["blue"].position + np.array([0.019, 0.0, 0.0]))
    run.see()
    assert run.judge.verdict is None
    run.put("blue", START.blocks["blue"].position + np.array([0.021, 0.0, 0.0]))
    run.see()
    assert "the blue block was moved 21 mm" in run.verdict.reason


def test_a_hold_that_strays_is_no_inspection() -> None:
    run = Run()
    run.load()
    run.drive()
    run.inspect(error=0.11)
    run.land()
    run.see(60.0)
    assert run.verdict.reason == "after 60 s it held over the load within 0.110 m, 0.1 allowed"


@pytest.mark.parametrize(("photograph", "sight"), [(False, True), (True, False)])
def test_without_a_photograph_that_shows_the_load_it_is_no_inspection(photograph: bool, sight: bool) -> None:
    run = Run()
    run.load()
    run.drive()
    run.inspect(photograph=photograph, sight=sight)
    run.land()
    run.see(60.0)
    assert run.verdict.reason == "after 60 s no photograph shows the load"


def test_a_landing_beside_the_pad_is_none() -> None:
    run = Run()
    run.load()
    run.drive()
    run.inspect()
    run.land(0.21)
    run.see(60.0)
    assert run.verdict.reason == "after 60 s the drone landed 0.21 m from its pad, 0.2 allowed"


def test_a_drone_that_leaves_its_fence_or_tips_over_fails() -> None:
    for position, tilt, why in (((0.0, 6.1, 1.0), 0.0, "left its fence"), ((0.0, 0.0, 1.0), 1.1, "tipped over")):
        run = Run()
        run.load()
        run.drive()
        run.fly(np.array(position), tilt=tilt)
        assert why in run.verdict.reason


def test_what_was_decided_stays() -> None:
    run = Run()
    run.fly(np.array([math.nan, 0.0, 0.0]))
    said = run.verdict
    run.land()
    run.load()
    assert run.verdict is said
