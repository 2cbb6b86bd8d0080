"""Filter of block detections: each image counts once, NaN and inf never, and a block that was moved starts again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from embodied.clock import Time
from embodied.messages import Detections
from policies.motion.grasp import Fingers
from policies.perception.block_averaging import MOVED, Block, BlockAverager

PLACE = np.array([0.3, -0.1, 0.02])


def seen(
    milliseconds: int,
    position: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = PLACE,
    yaw: float = 0.1,
    score: float = 0.9,
    label: str = "red",
) -> Detections:
    """What one image shows: the block, and a surer one of another label."""
    return Detections(
        labels=(label, "grey"),
        position=np.array([position, [0.5, 0.3, 0.02]]),
        yaw=np.array([yaw, 0.0]),
        score=np.array([score, 1.0]),
        frame="base",
        acquired=Time(milliseconds * 1_000_000),
    )


@pytest.fixture
def averager() -> BlockAverager:
    return BlockAverager(3, (0.42, 0.38), 0.1, Fingers())


def test_a_grasp_takes_as_many_images_as_are_asked_for_and_is_their_mean(averager: BlockAverager) -> None:
    aside = np.array([0.003, 0.0, 0.0])
    assert averager.update(seen(0, PLACE - aside), "red") is None
    assert averager.update(seen(100, PLACE), "red") is None
    grasp = averager.update(seen(200, PLACE + aside), "red")
    assert grasp is not None
    np.testing.assert_allclose(grasp.position, PLACE, atol=1e-9)


def test_an_image_that_comes_again_or_is_older_counts_no_second_time(averager: BlockAverager) -> None:
    for milliseconds in (100, 100, 50, 100, 0):
        assert averager.update(seen(milliseconds), "red") is None
    assert averager.update(seen(200), "red") is None
    assert averager.update(seen(300), "red") is not None


def test_after_a_reset_an_old_image_is_no_new_one(averager: BlockAverager) -> None:
    for milliseconds in (0, 100, 200):
        averager.update(seen(milliseconds), "red")
    averager.reset()
    assert [averager.update(seen(milliseconds), "red") for milliseconds in (200, 200, 200, 300, 400)] == [None] * 5
    assert averager.update(seen(500), "red") is not None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["position", "yaw", "score"])
@pytest.mark.parametrize("which", [0, 1])
def test_an_image_with_a_number_that_is_none_is_left_out_and_the_next_goes_on(
    number: float, field: str, which: int, averager: BlockAverager
) -> None:
    assert averager.update(seen(0), "red") is None
    values = getattr(seen(100), field).copy()
    values[which] = number
    assert averager.update(replace(seen(100), **{field: values}), "red") is None
    assert averager.update(seen(200), "red") is None
    grasp = averager.update(seen(300), "red")
    assert grasp is not None
    assert np.isfinite([*grasp.position, grasp.yaw]).all()
    np.testing.assert_allclose(grasp.position, PLACE, atol=1e-9)


def test_images_without_the_block_change_nothing(averager: BlockAverager) -> None:
    for milliseconds, label in ((0, "red"), (100, "blue"), (200, "red"), (300, "blue")):
        assert averager.update(seen(milliseconds, label=label), "red") is None
    assert averager.update(seen(400), "red") is not None


def test_a_block_that_was_moved_begins_anew(averager: BlockAverager) -> None:
    moved = PLACE + np.array([1.1 * MOVED, 0.0, 0.0])
    for milliseconds in (0, 100):
        averager.update(seen(milliseconds), "red")
    assert [averager.update(seen(milliseconds, moved), "red") for milliseconds in (200, 300)] == [None, None]
    grasp = averager.update(seen(400, moved), "red")
    assert grasp is not None
    np.testing.assert_allclose(grasp.position, moved, atol=1e-9)


def test_a_block_in_the_tray_is_delivered(averager: BlockAverager) -> None:
    inside = np.array([0.42, 0.38, 0.02])
    assert [averager.update(seen(100 * n, inside), "red") for n in range(10)] == [None] * 10


def test_yaws_are_averaged_modulo_a_quarter_turn() -> None:
    block = Block(PLACE, math.pi / 4 - 0.02, 1).averaged(PLACE, -math.pi / 4 + 0.02)
    assert abs(math.remainder(block.yaw - math.pi / 4, math.pi / 2)) < 1e-9
    assert block.count == 2
