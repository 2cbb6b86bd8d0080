import itertools
from collections import Counter

import numpy as np

from sims.scene import BLOCK, COLOURS, GAP, REGION, draw, graspable, overlap

SCENES = [draw(seed) for seed in range(10**9, 10**9 + 1000)]


def test_the_same_seed_draws_the_same_scene() -> None:
    assert draw(10**9 + 7) == SCENES[7]
    assert draw(10**9 + 8) != SCENES[7]


def test_blocks_lie_in_the_stated_region_which_is_at_least_25_by_35_cm() -> None:
    (x0, x1), (y0, y1) = REGION
    assert x1 - x0 >= 0.25
    assert y1 - y0 >= 0.35
    at = np.array([(block.x, block.y) for scene in SCENES for block in scene.blocks])
    assert np.all(at >= (x0, y0))
    assert np.all(at <= (x1, y1))
    assert np.all(np.ptp(at, axis=0) > (x1 - x0 - 0.005, y1 - y0 - 0.005))


def test_there_are_four_blocks_and_two_to_four_distractors() -> None:
    assert all([block.label for block in scene.blocks] == list(COLOURS) for scene in SCENES)
    assert set(Counter(len(scene.distractors) for scene in SCENES)) == {2, 3, 4}
    assert all(max(thing.size[2] for thing in scene.distractors) <= 0.045 for scene in SCENES)


def test_things_are_apart_and_each_block_can_be_taken_from_one_side_at_least() -> None:
    for scene in SCENES:
        things = [*scene.blocks, *scene.distractors]
        for one, other in itertools.combinations(things, 2):
            assert not overlap(other.outline(0.99 * GAP), one.outline())
        assert not any(overlap(thing.outline(), scene.tray.outline()) for thing in things)
        assert all(graspable(block, things, scene.tray) for block in scene.blocks)


def test_light_and_camera_stay_within_what_the_task_states() -> None:
    looks = [scene.look for scene in SCENES]
    brightness = np.array([look.brightness for look in looks])
    assert 0.6 <= brightness.min() < 0.61
    assert 1.39 < brightness.max() <= 1.4
    assert np.abs([look.shift for look in looks]).max() <= 0.03
    assert np.degrees(np.abs([look.tilt for look in looks]).max()) <= 3.0
    assert np.allclose(np.linalg.norm([look.light for look in looks], axis=1), 1.0)


def test_a_block_is_nearer_to_its_own_colour_than_to_any_other() -> None:
    known = np.array(list(COLOURS.values()))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    for scene in SCENES:
        for index, block in enumerate(scene.blocks):
            colour = np.array(block.colour) / np.linalg.norm(block.colour)
            assert np.argmax(known @ colour) == index


def test_every_colour_is_wanted_about_as_often() -> None:
    counts = Counter(scene.target for scene in SCENES)
    assert set(counts) == set(COLOURS)
    assert min(counts.values()) > 200


def test_fewer_blocks_are_the_first_colours() -> None:
    scene = draw(10**9, 2)
    assert [block.label for block in scene.blocks] == ["red", "green"]
    assert scene.target in ("red", "green")
    assert scene.blocks[0].size == (BLOCK, BLOCK, BLOCK)
