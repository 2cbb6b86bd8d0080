import math

import numpy as np
import pytest

from embodied import Time
from embodied.geometry import rotation
from embodied.messages import CameraInfo, Vector
from embodied.robot import Robot
from sims.camera import SimCamera
from sims.object_truth import ObjectTruth
from sims.tabletop.world import Tabletop


def rays(info: CameraInfo) -> Vector:
    """Direction through each pixel in the base frame, of depth 1; shape (h, w, 3)."""
    v, u = np.mgrid[: info.height, : info.width]
    pixels = np.stack([u, v, np.ones_like(u)], axis=-1)
    rays: Vector = pixels @ np.linalg.inv(info.matrix).T @ rotation(info.orientation).T
    return rays


def box_depth(info: CameraInfo, box: ObjectTruth) -> Vector:
    """Depth of the nearest surface of a box at each pixel [m], infinite beside it; slab method of Kay and Kajiya."""
    turn = rotation(box.orientation)
    start, ways = (info.position - box.position) @ turn, rays(info) @ turn
    ends = (np.array([[-1.0], [1.0]]) * box.size / 2 - start)[:, None, None, :] / ways
    near, far = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
    return np.where(near <= far, near, np.inf)


@pytest.mark.parametrize("view", ["overhead", "overview"])
@pytest.mark.parametrize("seed", [10**9, 10**9 + 1, 10**9 + 2])
def test_the_stated_pinhole_is_the_one_that_took_the_picture(panda_table: Tabletop, view: str, seed: int) -> None:
    panda_table.reset(seed)
    camera = panda_table.camera(view)
    info = camera.info()
    seen = camera.render(rgb=False, depth=True, segmentation=True)
    assert seen.rgb is None
    assert seen.depth is not None
    assert seen.segmentation is not None
    truth = panda_table.truth()
    boxes = [truth[label] for label in ("red", "green", "blue", "yellow")]
    depths = np.stack([box_depth(info, box) for box in boxes])
    for index, box in enumerate(boxes):
        mask = seen.segmentation == box.body
        # Where no other block is in front; a distractor may hide some more.
        expected = np.isfinite(depths[index]) & (depths[index] <= depths.min(axis=0))
        assert mask.sum() > 20
        both = mask & expected
        if mask.sum() > 0.9 * expected.sum():
            centre = [np.argwhere(part).mean(axis=0) for part in (mask, expected)]
            assert np.abs(centre[0] - centre[1]).max() < 0.1 * math.sqrt(400 / mask.sum())
        assert both.sum() > 0.97 * mask.sum()
        assert np.abs(seen.depth[both] - depths[index][both]).max() < 0.0002


def test_the_table_is_a_plane_of_its_own_number(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    camera = panda_table.camera("overhead", width=160, height=120)
    info = camera.info()
    seen = camera.render(rgb=True, depth=True, segmentation=True)
    assert (info.width, info.height) == (160, 120)
    assert seen.rgb is not None
    assert seen.depth is not None
    assert seen.segmentation is not None
    assert (seen.rgb.shape, seen.depth.shape) == ((120, 160, 3), (120, 160))
    assert [part.dtype for part in (seen.rgb, seen.depth, seen.segmentation)] == [np.uint8, np.float32, np.int32]
    things = {true.body for true in panda_table.truth().values()}
    values, counts = np.unique(seen.segmentation, return_counts=True)
    table = values[np.argmax(counts)]
    assert table not in things
    points = info.position + seen.depth[..., None] * rays(info)
    assert np.abs(points[seen.segmentation == table][:, 2]).max() < 1e-4


def test_the_overhead_camera_sees_every_block_whole_while_the_arm_is_at_home(table: Tabletop) -> None:
    for seed in range(10**9, 10**9 + 5):
        table.reset(seed)
        camera = table.camera("overhead")
        info = camera.info()
        seen = camera.render(rgb=False, segmentation=True).segmentation
        assert seen is not None
        for block in table.scene.blocks:
            true = table.truth()[block.label]
            rows, columns = np.nonzero(seen == true.body)
            assert len(rows) >= np.isfinite(box_depth(info, true)).sum() - 5
            assert 5 < rows.min() <= rows.max() < 234
            assert 5 < columns.min() <= columns.max() < 314


def test_up_in_the_picture_is_forward_and_right_is_the_robots_right(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    info = panda_table.camera("overhead").info()
    right, down, ahead = rotation(info.orientation).T
    assert right @ (0.0, -1.0, 0.0) > 0.99
    assert down @ (-1.0, 0.0, 0.0) > 0.99
    assert ahead @ (0.0, 0.0, -1.0) > 0.99


def test_only_what_someone_takes_is_made(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    node = SimCamera(width=64, height=48)
    node.open(panda_table)
    assert node.step(Time(5)) == (None, None, None, None)
    node.listened = frozenset({"info"})
    frame = node.step(Time(5))
    assert frame.info is not None
    assert (frame.rgb, frame.depth, frame.segmentation) == (None, None, None)
    node.listened = frozenset({"rgb", "depth"})
    frame = node.step(Time(5))
    assert frame.rgb is not None
    assert frame.depth is not None
    assert frame.segmentation is None
    assert (frame.rgb.acquired, frame.rgb.data.shape) == (5, (48, 64, 3))


def test_the_ports_state_the_size_of_the_images_and_a_wrong_view_is_named(panda: Robot) -> None:
    ports = SimCamera(width=64, height=48).ports()
    assert ports.outputs["rgb"].rendered
    assert ports.outputs["rgb"].refined.sizes == {"h": 48, "w": 64}
    assert not ports.outputs["info"].rendered
    (problem,) = SimCamera(view="overhed").check_world(Tabletop(panda))
    assert "no camera 'overhed' in Tabletop" in problem
    assert "'overhead'" in problem
    assert not list(SimCamera(view="wrist").check_world(Tabletop(panda)))
    assert len(list(SimCamera(width=0, height=10**6).check())) == 2
