"""Markers from above: they are found where they are, from where the camera was when the picture was taken."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embodied.clock import Time
from embodied.geometry import quaternion, transform
from embodied.messages import CameraInfo, DroneState, Image
from policies.perception.detector import HEIGHT, WIDTH
from policies.perception.markers import Markers

MS = 1_000_000
DOWN = transform((0.0, 0.0, 0.0), (math.pi, 0.0, -math.pi / 2))[:3, :3]


@pytest.fixture(scope="module")
def markers() -> Markers:
    node = Markers()
    assert list(node.check()) == []
    node.open()
    return node


@pytest.fixture
def world() -> Iterator[Any]:
    if importlib.util.find_spec("pybullet") is None:
        pytest.skip("pybullet, which renders the field, is not installed")
    from sims.airfield.world import Airfield

    airfield = Airfield(boards=6)
    yield airfield
    airfield.close()


def state(position: tuple[float, float, float], acquired: int, **changes: Any) -> DroneState:
    """Of a drone that hovers."""
    still = DroneState(
        position=np.array(position),
        orientation=np.array([0.0, 0.0, 0.0, 1.0]),
        linear_velocity=np.zeros(3),
        angular_velocity=np.zeros(3),
        armed=True,
        landed=False,
        mode="hold",
        frame="world",
        acquired=Time(acquired),
    )
    return replace(still, **changes)


def taken(world: Any, position: tuple[float, float, float], acquired: int) -> tuple[Image, CameraInfo]:
    """A picture from there, and how the camera hangs below the drone."""
    world.drone().place(np.array(position), np.array([0.0, 0.0, 0.0, 1.0]))
    camera = world.camera("down", width=WIDTH, height=HEIGHT)
    return Image(data=camera.render(rgb=True).rgb, acquired=Time(acquired)), camera.info()


def blank(acquired: int = 0) -> tuple[Image, CameraInfo]:
    """A picture of plain grass."""
    info = CameraInfo(
        width=WIDTH,
        height=HEIGHT,
        matrix=np.array([[228.0, 0.0, 160.0], [0.0, 228.0, 119.0], [0.0, 0.0, 1.0]]),
        position=np.zeros(3),
        orientation=quaternion(DOWN),
        frame="drone",
    )
    return Image(data=np.full((HEIGHT, WIDTH, 3), (90, 110, 55), np.uint8), acquired=Time(acquired)), info


def test_boards_and_pads_on_unseen_fields_are_found_within_5_cm_and_no_number_is_misread(
    markers: Markers, world: Any
) -> None:
    from policies.training.markers.score import score

    scores = score(markers, world, (2000, 2006), 8)
    assert scores["boards"] >= 20
    assert scores["board_recall_percent"] >= 95
    assert scores["pad_recall_percent"] >= 90
    assert scores["position_error_p95_mm"] <= 50
    assert scores["yaw_error_p95_deg"] <= 3
    assert scores["false_detections_per_100_images"] == 0


def test_a_picture_is_seen_from_where_the_drone_was_and_not_from_where_it_is_now(markers: Markers, world: Any) -> None:
    world.reset(2000)
    east, north, _ = next(iter(world.truth().values())).position
    image, info = taken(world, (east, north, 4.0), 100 * MS)
    moved = [state((east + 0.02 * (step - 10), north, 4.0), 10 * step * MS) for step in range(30)]
    markers.open()
    seen = markers.step(image, info, moved)
    assert len(seen.labels) >= 1
    for label, position in zip(seen.labels, seen.position, strict=True):
        assert math.dist(position, world.truth()[label].position) < 0.05


def test_a_camera_that_is_late_is_allowed_for(world: Any) -> None:
    world.reset(2000)
    east, north, _ = next(iter(world.truth().values())).position
    image, info = taken(world, (east, north, 4.0), 140 * MS)
    node = Markers(lag=0.04)
    node.open()
    seen = node.step(
        image, info, [state((east + 0.02 * (step - 10), north, 4.0), 10 * step * MS) for step in range(30)]
    )
    for label, position in zip(seen.labels, seen.position, strict=True):
        assert math.dist(position, world.truth()[label].position) < 0.05
    assert len(seen.labels) >= 1


def test_the_ground_may_lie_elsewhere_than_at_0(world: Any) -> None:
    world.reset(2000)
    east, north, _ = next(iter(world.truth().values())).position
    image, info = taken(world, (east, north, 4.0), 0)
    node = Markers(ground=-0.35)
    node.open()
    seen = node.step(image, info, [state((east, north, 3.65), 0)])
    assert len(seen.labels) >= 1
    for label, position in zip(seen.labels, seen.position, strict=True):
        assert position[2] == pytest.approx(-0.35)
        assert math.dist(position[:2], world.truth()[label].position[:2]) < 0.05


def test_plain_grass_gives_an_empty_list(markers: Markers) -> None:
    image, info = blank(7)
    markers.open()
    seen = markers.step(image, info, [state((0.0, 0.0, 4.0), 7)])
    assert seen.labels == ()
    assert seen.position.shape == (0, 3)
    assert seen.acquired == 7


@pytest.mark.parametrize(
    "known",
    [
        pytest.param([], id="no state"),
        pytest.param([state((0.0, 0.0, 4.0), 0)], id="an old state"),
        pytest.param([state((0.0, 0.0, 0.3), 500 * MS)], id="a drone that is about to land"),
        pytest.param(
            [state((0.0, 0.0, 4.0), 500 * MS, orientation=quaternion(transform((0, 0, 0), (1.0, 0.0, 0.0))[:3, :3]))],
            id="a drone that lies on its side",
        ),
    ],
)
def test_nothing_is_told_where_a_picture_cannot_be_laid_on_the_ground(
    markers: Markers, world: Any, known: list[DroneState]
) -> None:
    world.reset(2000)
    east, north, _ = next(iter(world.truth().values())).position
    image, info = taken(world, (east, north, 4.0), 500 * MS)
    markers.open()
    assert markers.step(image, info, known).labels == ()


def test_an_image_of_another_size_is_refused_with_both_sizes(markers: Markers) -> None:
    _, info = blank()
    image = Image(data=np.zeros((480, 640, 3), np.uint8), acquired=Time(0))
    with pytest.raises(ValueError, match=r"images must have 240 rows of 320 pixels, got \(480, 640\)"):
        markers.step(image, info, [])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"threshold": 1.5}, "threshold must be in (0, 1), got 1.5"),
        ({"likeness": 0.0}, "likeness must be in (0, 1), got 0.0"),
        ({"board": -1.0}, "board must be above 0 m and finite, got -1.0"),
        ({"pad": math.nan}, "pad must be above 0 m and finite, got nan"),
        ({"lowest": 0.0}, "lowest must be above 0 m and finite, got 0.0"),
        ({"ground": math.inf}, "ground must be finite, got inf"),
        ({"lag": 2.0}, "lag must be in [0, 0.5] s, got 2.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], told: str) -> None:
    (problem,) = Markers(**settings).check()  # type: ignore[arg-type]
    assert problem == told
