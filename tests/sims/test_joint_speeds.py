"""Joints of a simulated arm keep their velocity limits, whatever they touch and wherever they are sent.

Law: what a simulated body does, a real one could do: no contact and no command makes a joint faster than its own limit.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

from embodied.clock import Time
from embodied.messages import JointCommand
from sims.tabletop.world import Tabletop
from tests.embodied.robots import robot


@pytest.mark.parametrize("name", ["so101", "panda", "xarm6"])
def test_no_joint_is_faster_than_its_limit_while_its_arm_is_driven_into_the_table(name: str) -> None:
    rng = np.random.default_rng(0)
    wanted = robot(name)
    world = Tabletop(wanted, objects=1)
    world.reset(0)
    try:
        arm = world.arm("arm")
        bullet = arm._bullet
        infos = [bullet.getJointInfo(arm.body, joint) for joint in range(bullet.getNumJoints(arm.body))]
        limits = {info[0]: info[11] for info in infos if info[1].decode() in wanted.joints}
        assert len(limits) == len(wanted.joints)
        assert min(limits.values()) > 0
        now, touched = 0, False
        for _ in range(12):
            position = rng.uniform(wanted.limit("lower"), wanted.limit("upper"))
            arm.command(JointCommand(position=position, gripper=float(rng.uniform(0, wanted.opening))))
            for _ in range(40):
                now += 10_000_000
                world.advance(Time(now))
                states = bullet.getJointStates(arm.body, list(limits))
                for (joint, limit), state in zip(limits.items(), states, strict=True):
                    assert abs(state[1]) <= limit * (1 + 1e-6), infos[joint][1].decode()
                touched |= bool(bullet.getContactPoints(arm.body))
        assert touched, "it touched nothing, so nothing was tried"
    finally:
        world.close()


def test_a_goal_far_away_is_reached_at_the_joints_own_speed() -> None:
    wanted = robot("panda")
    world = Tabletop(wanted, objects=1)
    world.reset(0)
    try:
        arm = world.arm("arm")
        goal = wanted.limit("home").copy()
        goal[0] += 1.0
        arm.command(JointCommand(position=goal))
        world.advance(Time(200_000_000))
        done = arm.read()[0].position[0] - wanted.limit("home")[0]
        assert 0.7 < done / (0.2 * 2.175) <= 1.001
        world.advance(Time(1_000_000_000))
        assert abs(arm.read()[0].position[0] - goal[0]) < 2e-3
    finally:
        world.close()
