import math

import numpy as np
import pytest

from embodied import Time
from embodied.errors import WorldFailed
from embodied.geometry import quaternion, transform
from sims.object_truth import quarter_turn
from sims.tabletop.nodes import TabletopTask, TruePoses
from sims.tabletop.world import Tabletop


@pytest.mark.parametrize("yaw", [-3.0, -0.7, 0.0, 0.3, 0.78, 1.2, 2.9])
def test_the_four_turns_that_look_the_same_are_the_same(yaw: float) -> None:
    found = {
        round(quarter_turn(quaternion(transform((0, 0, 0), (0, 0, yaw + k * math.pi / 2))[:3, :3])), 9)
        for k in range(4)
    }
    assert len(found) == 1
    assert abs(found.pop()) <= math.pi / 4 + 1e-9


def test_a_block_on_its_side_has_the_yaw_of_its_level_edges() -> None:
    on_side = transform((0, 0, 0), (0, 0, 0.3))[:3, :3] @ transform((0, 0, 0), (math.pi / 2, 0, 0))[:3, :3]
    assert quarter_turn(quaternion(on_side)) == pytest.approx(0.3)


def test_every_object_is_reported_where_it_is_and_distractors_are_grey(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    node = TruePoses()
    node.open(panda_table)
    found = node.step(Time(7))
    assert set(found.labels) == {"red", "green", "blue", "yellow", "grey"}
    assert found.labels.count("grey") == len(panda_table.scene.distractors)
    assert (found.frame, found.acquired) == ("base", 7)
    for label in ("red", "green", "blue", "yellow"):
        assert np.array_equal(found.position[found.labels.index(label)], panda_table.truth()[label].position)


def test_the_task_is_the_block_that_the_seed_wants(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    task = TabletopTask()
    task.open(panda_table)
    assert task.step().label == panda_table.target


def test_a_node_of_the_table_refuses_another_world() -> None:
    class Elsewhere:
        pass

    with pytest.raises(WorldFailed, match="Tabletop"):
        TabletopTask().open(Elsewhere())  # type: ignore[arg-type]
