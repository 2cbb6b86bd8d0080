import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embodied import SECOND, Time
from embodied.errors import WorldFailed
from embodied.messages import JointCommand
from embodied.robot import Robot
from embodied.robot.worktable import Worktable
from sims.bullet import NoSimulator
from sims.tabletop.scene import draw
from sims.tabletop.world import Tabletop

SEED = 10**9 + 3


def film(world: Tabletop, seed: int) -> str:
    """What moves in a run of one second, as a hash; the arm is told to swing."""
    world.reset(seed)
    arm = world.arm()
    swing = world.robot.limit("home") + 0.3
    digest = hashlib.sha256()
    for n in range(1, 101):
        world.advance(Time(n * SECOND // 100))
        joints, gripper = arm.read()
        arm.command(JointCommand(position=swing, gripper=0.03))
        digest.update(joints.position.tobytes() + joints.velocity.tobytes() + repr(gripper).encode())
    for _, true in sorted(world.truth().items()):
        digest.update(true.position.tobytes() + true.orientation.tobytes())
    return digest.hexdigest()


def test_a_seed_is_a_film_again_in_another_world_and_in_another_process(table: Tabletop) -> None:
    first = film(table, SEED)
    assert film(table, SEED + 1) != first
    assert film(table, SEED) == first
    other = Tabletop(table.robot)
    assert film(other, SEED) == first
    other.close()
    root = Path(__file__).parents[3]
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "from tests.sims.conftest import read_robot; from tests.sims.tabletop.test_world import film\n"
        "from sims.tabletop import Tabletop\n"
        f"print(film(Tabletop(read_robot({table.robot.name!r})), {SEED}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Nothing else may be on standard output, because the command line prints JSON there.
    assert done.stdout.split() == [first]


def test_rendering_changes_nothing(table: Tabletop) -> None:
    first = film(table, SEED)
    table.reset(SEED)
    advance, camera = table.advance, table.camera("overhead")

    def watched(to: Time) -> None:
        camera.render(rgb=True, depth=True, segmentation=True)
        advance(to)

    table.advance = watched  # type: ignore[method-assign]
    reset = table.reset
    table.reset = lambda seed: None if seed == SEED else reset(seed)  # type: ignore[method-assign]
    assert film(table, SEED) == first


def test_time_is_that_of_the_last_whole_step(panda_table: Tabletop) -> None:
    panda_table.reset(SEED)
    panda_table.advance(Time(SECOND // 100))
    assert panda_table.now == SECOND // 100
    panda_table.advance(Time(SECOND // 100 + 3_000_000))
    assert panda_table.now == SECOND // 100
    panda_table.advance(Time(SECOND // 50))
    assert panda_table.arm().read()[0].acquired == SECOND // 50


def test_what_the_seed_drew_is_where_it_was_drawn(panda_table: Tabletop) -> None:
    panda_table.reset(SEED)
    scene = draw(SEED, Worktable())
    truth = panda_table.truth()
    for thing in (*scene.blocks, *scene.distractors):
        assert truth[thing.label].position == pytest.approx((thing.x, thing.y, thing.size[2] / 2))
        assert truth[thing.label].size == pytest.approx(thing.size)
    panda_table.advance(Time(2 * SECOND))
    for label, true in panda_table.truth().items():
        assert np.linalg.norm(true.position - truth[label].position) < 0.0005


def test_a_bare_table_says_that_it_wants_a_reset(panda: Robot) -> None:
    with pytest.raises(WorldFailed, match="reset"):
        Tabletop(panda).truth()


def test_a_wrong_name_is_answered_with_the_right_one(panda_table: Tabletop) -> None:
    panda_table.reset(SEED)
    with pytest.raises(WorldFailed, match="'overhead'"):
        panda_table.camera("overhed")
    with pytest.raises(WorldFailed, match="'arm'"):
        panda_table.arm("arn")
    with pytest.raises(WorldFailed, match="'yellow'"):
        panda_table.place("yelow", np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


def test_settings_that_cannot_be_are_found_without_a_simulator(panda: Robot) -> None:
    assert list(Tabletop(panda).check()) == []
    (problem,) = Tabletop(dataclasses.replace(panda, base="panda_link2")).check()
    assert problem == "panda.urdf moves ['panda_joint1', 'panda_joint2'] below the robot's base 'panda_link2'"
    wrong = Tabletop(panda, objects=5, rate=float("nan"), iterations=-1, time_limit=0.0)
    assert len(list(wrong.check())) == 4


def test_checking_a_launch_file_does_not_load_the_simulator() -> None:
    code = "import sys, sims.tabletop.nodes, sims.arm, sims.camera; print('pybullet' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


def test_without_pybullet_a_reset_says_what_to_do(panda: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybullet", None)
    with pytest.raises(NoSimulator, match=r"pybullet.*Python 3\.11 to 3\.13"):
        Tabletop(panda).reset(SEED)
