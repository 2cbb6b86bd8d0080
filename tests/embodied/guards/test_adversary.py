"""Adversarial inputs: whatever arrives at a guard, in whatever order, its output keeps every limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.bodies import WORLD
from embodied.guards.workspace import Box
from embodied.messages import DroneCommand, JointCommand, Vector
from tests.embodied.guards import arm_rig
from tests.embodied.guards.drone_rig import HIGH, LOW, Rig, flying
from tests.embodied.robots import robot

PANDA = robot("panda")
SPEED, CLIMB, STEP = 2.0, 1.0, 1.5 * 0.02 + 1e-9
number = st.one_of(st.floats(-8.0, 8.0), st.sampled_from([math.nan, math.inf, -math.inf, 1e308, 0.0]))
vector = st.tuples(number, number, number).map(np.array)
near = st.tuples(*[st.floats(-6.0, 6.0)] * 3)
command = st.builds(
    DroneCommand,
    position=st.none() | vector,
    velocity=st.none() | vector,
    yaw=st.none() | number,
    land=st.booleans(),
    frame=st.just(WORLD),
)
state = st.builds(
    flying,
    st.one_of(near, st.just((math.nan, 0.0, 1.0)), st.just((1e300, 0.0, 1.0))),
    near,
    st.booleans(),
    st.booleans(),
    st.sampled_from([(0.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, 0.0)]),
)
stretch = st.fixed_dictionaries(
    {
        "command": st.none() | command,
        "operator": st.none() | command,
        "charge": st.sampled_from([1.0, 1.0, 1.0, 0.1, math.nan, None]),
        "stop": st.sampled_from([[], [], [], ["a dog"]]),
        "reset": st.booleans(),
        "state": st.one_of(st.none(), st.none(), st.none(), state),
        "blind": st.sampled_from([False, False, False, True]),
        "periods": st.integers(1, 30),
    }
)


@settings(max_examples=100)
@given(st.lists(stretch, min_size=1, max_size=12), st.sampled_from(["hold", "land"]))
def test_whatever_arrives_a_drone_keeps_its_limits_and_moves_after_a_stop_only_on_a_reset(
    stretches: list[dict[str, Any]], on_stop: str
) -> None:
    rig = Rig(on_stop=on_stop, lost=0.3, lease=0.1, patience=3, wired=["battery"])
    fence, out, before, stopped = Box(LOW, HIGH), 0.0, None, False
    for about in stretches:
        periods, blind = about.pop("periods"), about.pop("blind")
        for _ in range(periods):
            rig.state = None if blind else rig.state or flying()
            measured = about["state"] or rig.state
            moved, report = rig.step(**about)
            assert not (stopped and report.state != "stopped" and not about["reset"])
            stopped = report.state == "stopped"
            assert not (stopped and report.source)
            if moved is None or measured is None or not measured.armed:
                # A set-point that begins again owes nothing to the last one.
                before = None
            if moved is None:
                continue
            assert measured is not None
            assert moved.position is not None
            assert moved.velocity is not None
            out = max(out, fence.depth(measured.position))
            assert np.isfinite(moved.position).all()
            assert moved.yaw is None or math.isfinite(moved.yaw)
            assert fence.depth(moved.position) <= out + 1e-9
            assert np.linalg.norm(moved.velocity[:2]) <= SPEED + 1e-9
            assert abs(moved.velocity[2]) <= CLIMB + 1e-9
            if before is not None:
                assert before.position is not None
                assert before.velocity is not None
                step = moved.velocity - before.velocity
                assert np.linalg.norm(step[:2]) <= STEP
                assert abs(step[2]) <= STEP or moved.land
                across = moved.position[:2] - before.position[:2]
                np.testing.assert_allclose(across, moved.velocity[:2] * 0.02, atol=1e-9)
                if stopped:
                    assert (np.abs(moved.velocity) <= np.abs(before.velocity) + 1e-12).all()
            before = moved if measured.armed else None


def by_home(far: list[float]) -> Vector:
    return PANDA.limit("home") + 0.05 * np.array(far)


joint = st.one_of(st.floats(-4.0, 4.0), st.sampled_from([math.nan, math.inf, -math.inf, 1e308]))
joints = st.one_of(st.lists(joint, min_size=7, max_size=7), st.lists(st.floats(-4.0, 4.0), min_size=7, max_size=7))
sane = st.builds(JointCommand, position=st.lists(st.floats(-4.0, 4.0), min_size=7, max_size=7).map(by_home))
arm_command = st.one_of(
    st.builds(JointCommand, position=joints.map(np.array), gripper=st.none() | number),
    st.builds(JointCommand, velocity=joints.map(np.array)),
    st.builds(JointCommand, position=st.lists(joint, max_size=3).map(np.array)),
)
arm_stretch = st.fixed_dictionaries(
    {
        "command": st.one_of(sane, sane, sane, sane, arm_command, st.none()),
        "teleop": st.one_of(st.none(), st.none(), st.none(), st.none(), sane, arm_command),
        "operator": st.one_of(st.none(), st.none(), st.none(), st.none(), sane, arm_command),
        "stop": st.sampled_from([[], ["a hand"]]),
        "reset": st.booleans(),
        "blind": st.sampled_from([False, False, False, False, False, True]),
        "velocity": st.sampled_from([None, None, None, None, None, np.full(7, math.nan)]),
        "lag": st.sampled_from([0.0, 0.3]),
        "periods": st.sampled_from([1, 2, 5, 20]),
    }
)


@settings(max_examples=60)
@given(st.lists(arm_stretch, min_size=10, max_size=20))
def test_whatever_arrives_an_arm_keeps_its_limits_and_moves_after_a_stop_only_on_a_reset(
    stretches: list[dict[str, Any]],
) -> None:
    rig = arm_rig.Rig(PANDA, lease=0.05)
    limit, step = PANDA.limit, PANDA.limit("acceleration") * arm_rig.PERIOD + 1e-6
    before, speed, stopped = None, np.zeros(7), False
    for about in stretches:
        periods, lag = about.pop("periods"), about.pop("lag")
        for _ in range(periods):
            measured = rig.measured
            moved, report = rig.step(**about)
            rig.measured = rig.measured + lag * (measured - rig.measured)
            released = stopped and report.state != "stopped"
            assert not released or about["reset"]
            stopped = report.state == "stopped"
            assert not (stopped and report.source)
            if before is None or (released and not speed.any()):
                # It begins at rest where the arm is; a reset while it still brakes is no beginning.
                before, speed = measured, np.zeros(7)
            if moved is None:
                # Only at rest it waits for measurements that agree, or for the first one.
                assert not speed.any()
                before = None
                continue
            assert moved.position is not None
            velocity = (moved.position - before) / arm_rig.PERIOD
            assert np.isfinite(moved.position).all()
            assert (moved.position >= limit("lower") - 1e-9).all()
            assert (moved.position <= limit("upper") + 1e-9).all()
            assert moved.gripper is None or 0.0 <= moved.gripper <= PANDA.opening
            assert (np.abs(velocity) <= limit("velocity") + 1e-6).all()
            assert (np.abs(velocity - speed) <= step).all()
            assert not stopped or (np.abs(velocity) <= np.abs(speed) + 1e-9).all()
            before, speed = moved.position, np.where(np.abs(velocity) < 1e-9, 0.0, velocity)
