"""Strokes of grippers: width and drive are each other's inverse, and the slope is the width's derivative."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.robot.body import Gripper
from embodied.robot.jaw import SO101_JAW
from embodied.robot.stroke import JawStroke, LinearStroke, MeasuredStroke, ParallelogramStroke, Stroke
from tests.sims.conftest import read_robot

XARM = ParallelogramStroke(pivot=0.035, across=0.035465, along=0.042039, pad=0.026, closed=0.85)
JAW = JawStroke(pivot=0.0318, depth=0.073, face=0.0083, closed=-0.1745, widest=1.0)
TABLE = MeasuredStroke(points=((0.0, 0.085), (0.4, 0.04), (0.8, 0.0)))


@pytest.mark.parametrize(
    ("stroke", "drives"),
    [
        (LinearStroke(2.0), (0.0, 0.04)),
        (XARM, (0.0, 0.85)),
        (JAW, (-0.1745, 1.0)),
        (TABLE, (0.0, 0.4)),
        (TABLE, (0.4, 0.8)),
    ],
    ids=["rails", "parallelogram", "jaw", "measured", "measured, second part"],
)
def test_width_and_drive_are_inverse_and_the_slope_is_the_change_of_the_width(
    stroke: Stroke, drives: tuple[float, float]
) -> None:
    for drive in np.linspace(*drives, 52)[1:-1].tolist():
        assert stroke.drive(stroke.width(drive)) == pytest.approx(drive, abs=1e-9)
        change = (stroke.width(drive + 1e-6) - stroke.width(drive - 1e-6)) / 2e-6
        assert stroke.slope(drive) == pytest.approx(change, rel=1e-6)


def test_the_gripper_of_the_xarm6_is_89_mm_wide_at_0_and_closed_at_its_end() -> None:
    assert XARM.width(0.0) == pytest.approx(0.089, abs=1e-3)
    assert XARM.width(0.85) == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize("stroke", [XARM, JAW, TABLE])
def test_a_width_out_of_reach_is_the_end_of_the_drive(stroke: Stroke) -> None:
    ends = {XARM: (0.85, 0.0), JAW: (-0.1745, 1.0), TABLE: (0.8, 0.0)}[stroke]
    assert (stroke.drive(-1.0), stroke.drive(1.0)) == ends


def test_the_jaw_in_the_description_of_the_so101_is_that_of_its_driver() -> None:
    body = read_robot("so101").body
    assert body is not None
    assert body.gripper.jaw is not None
    assert [getattr(body.gripper.jaw, name) for name in ("pivot", "depth", "face", "closed")] == [
        getattr(SO101_JAW, name) for name in ("pivot", "depth", "face", "closed")
    ]


@pytest.mark.parametrize("points", [(), ((0.0, 0.1),), ((0.0, 0.1), (0.0, 0.0)), ((0.0, 0.1), (1.0, 0.2), (2.0, 0.1))])
def test_measured_points_that_say_no_width_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="points must be two or more"):
        MeasuredStroke(points=points)


def test_a_gripper_has_one_kind_of_stroke() -> None:
    for strokes in ({}, {"linear": LinearStroke(2.0), "measured": TABLE}):
        with pytest.raises(ValueError, match="exactly one of linear, parallelogram, jaw and measured"):
            Gripper(drives=("a",), fingers=("b",), force=1.0, **strokes)  # type: ignore[arg-type]
