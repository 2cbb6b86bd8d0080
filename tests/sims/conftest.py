"""Arms and worlds for the tests of the simulated table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from embodied.messages import Vector
from embodied.node.settings import Context, make
from embodied.robot import Robot
from sims.tabletop.world import Tabletop

FRAGMENTS = Path(__file__).parents[2] / "launch" / "robots"
ARMS = ("panda", "xarm6", "so101")


def read_robot(name: str) -> Robot:
    """The robot of a shipped launch fragment."""
    written = yaml.safe_load((FRAGMENTS / f"{name}.yaml").read_text())["robots"][name]
    robot = make(Robot, {"name": name, **written}, Context(folder=FRAGMENTS))
    assert isinstance(robot, Robot)
    return robot


@pytest.fixture(params=ARMS)
def robot(request: pytest.FixtureRequest) -> Robot:
    return read_robot(request.param)


@pytest.fixture
def panda() -> Robot:
    return read_robot("panda")


@pytest.fixture
def table(robot: Robot) -> Iterator[Tabletop]:
    """A world for each arm."""
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Tabletop(robot)
    yield world
    world.close()


@pytest.fixture
def panda_table(panda: Robot) -> Iterator[Tabletop]:
    """A world for the tests that are the same for every arm."""
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Tabletop(panda)
    yield world
    world.close()


@pytest.fixture
def delivered(robot: Robot) -> Vector:
    """Where the centre of a block is that lies in the middle of the tray."""
    assert robot.body is not None
    worktable = robot.body.worktable
    return np.array([worktable.tray.x, worktable.tray.y, worktable.tray.floor + worktable.block / 2])


@pytest.fixture
def above() -> Callable[[Robot, Vector], Vector]:
    return joints_above


def joints_above(robot: Robot, at: Vector) -> Vector:
    """Joints that put the tool at a point, pointing down with its fingers along y, by Newton's method from home."""
    down = np.diag([1.0, -1.0, -1.0])

    def miss(joints: Vector) -> Vector:
        pose = robot.chain.tool(joints)
        turn = down @ pose[:3, :3].T
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
        return np.concatenate([at - pose[:3, 3], axis])

    joints = robot.limit("home")
    for _ in range(60):
        now = miss(joints)
        steps = 1e-6 * np.eye(len(joints))
        jacobian = np.stack([(now - miss(joints + step)) / 1e-6 for step in steps], axis=1)
        joints = joints + np.clip(np.linalg.pinv(jacobian, rcond=1e-4) @ now, -0.3, 0.3)
    assert np.linalg.norm(miss(joints)) < 1e-6
    return joints
