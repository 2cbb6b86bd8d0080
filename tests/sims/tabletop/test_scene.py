import itertools
from collections import Counter
from functools import cache

import numpy as np
import pytest

from embodied.robot.worktable import Worktable
from sims.tabletop.scene import COLOURS, TabletopScene, draw, graspable, overlap
from tests.sims.conftest import read_robot

SO101 = read_robot("so101").body
assert SO101 is not None
LARGE, SMALL = Worktable(), SO101.worktable
COUNTS = {LARGE: 400, SMALL: 200}
every_table = pytest.mark.parametrize("table", [LARGE, SMALL], ids=["large", "small"])


@cache
def drawn(table: Worktable) -> list[TabletopScene]:
    """Draw many scenes, once for all tests, and not while tests are collected."""
    return [draw(seed, table) for seed in range(10**9, 10**9 + COUNTS[table])]


def test_the_same_seed_draws_the_same_scene() -> None:
    assert draw(10**9 + 7, LARGE) == drawn(LARGE)[7]
    assert draw(10**9 + 8, LARGE) != drawn(LARGE)[7]


@pytest.mark.parametrize(("table", "least"), [(LARGE, (0.25, 0.35)), (SMALL, (0.08, 0.18))], ids=["large", "small"])
def test_blocks_lie_all_over_the_stated_region(table: Worktable, least: tuple[float, float]) -> None:
    scenes = drawn(table)
    (x0, x1), (y0, y1) = scenes[0].worktable.region
    assert (x1 - x0, y1 - y0) >= least
    at = np.array([(block.x, block.y) for scene in scenes for block in scene.blocks])
    assert np.all(at >= (x0, y0))
    assert np.all(at <= (x1, y1))
    assert np.all(np.ptp(at, axis=0) > (x1 - x0 - 0.005, y1 - y0 - 0.005))


def test_there_are_four_blocks_and_two_to_four_distractors() -> None:
    assert all([block.label for block in scene.blocks] == list(COLOURS) for scene in drawn(LARGE))
    assert set(Counter(len(scene.distractors) for scene in drawn(LARGE))) == {2, 3, 4}
    assert all(max(thing.size[2] for thing in scene.distractors) <= 0.045 for scene in drawn(LARGE))


@every_table
def test_things_are_apart_and_each_block_can_be_taken_from_one_side_at_least(table: Worktable) -> None:
    for scene in drawn(table):
        things = [*scene.blocks, *scene.distractors]
        for one, other in itertools.combinations(things, 2):
            assert not overlap(other.outline(0.99 * scene.worktable.gap), one.outline())
        assert not any(overlap(thing.outline(), scene.worktable.tray.outline()) for thing in things)
        assert all(graspable(block, things, scene.worktable) for block in scene.blocks)


@every_table
def test_light_and_camera_stay_within_what_the_task_states(table: Worktable) -> None:
    scenes = drawn(table)
    looks = [scene.look for scene in scenes]
    brightness = np.array([look.brightness for look in looks])
    assert 0.6 <= brightness.min() < 0.62
    assert 1.38 < brightness.max() <= 1.4
    assert np.abs([look.shift for look in looks]).max() <= scenes[0].worktable.sway
    assert np.degrees(np.abs([look.tilt for look in looks]).max()) <= 3.0
    assert np.allclose(np.linalg.norm([look.light for look in looks], axis=1), 1.0)


def test_a_block_is_nearer_to_its_own_colour_than_to_any_other() -> None:
    known = np.array(list(COLOURS.values()))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    for scene in drawn(LARGE):
        for index, block in enumerate(scene.blocks):
            colour = np.array(block.colour) / np.linalg.norm(block.colour)
            assert np.argmax(known @ colour) == index


def test_every_colour_is_wanted_about_as_often() -> None:
    counts = Counter(scene.target for scene in drawn(LARGE))
    assert set(counts) == set(COLOURS)
    assert min(counts.values()) > 80


def test_fewer_blocks_are_the_first_colours() -> None:
    scene = draw(10**9, LARGE, 2)
    assert [block.label for block in scene.blocks] == ["red", "green"]
    assert scene.target in ("red", "green")
    assert scene.blocks[0].size == (0.04, 0.04, 0.04)
