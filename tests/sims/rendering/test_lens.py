import numpy as np
import pytest

from embodied import Time
from embodied.node.node import generator
from embodied.world import Rendering
from sims.camera import SimCamera
from sims.rendering.lens import Imperfections, Lens
from sims.tabletop.world import Tabletop

WIDTH, HEIGHT = 320, 240


def picture() -> Rendering:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    numbers = (rows // 40 + columns // 40).astype(np.int32)
    rgb = np.stack([40 + 12 * numbers] * 3, axis=-1).astype(np.uint8)
    return Rendering(rgb, 0.5 + 0.01 * numbers.astype(np.float32), numbers)


def test_a_lens_bends_everything_alike_and_by_a_pixel_at_most() -> None:
    seen = picture()
    for seed in range(10**9, 10**9 + 20):
        spoilt = Lens(generator(seed, "lens"), WIDTH, HEIGHT).apply(seen)
        assert spoilt.rgb is not None
        assert spoilt.depth is not None
        assert spoilt.segmentation is not None
        assert np.allclose(spoilt.depth, 0.5 + 0.01 * spoilt.segmentation)
        inside = np.s_[100:140, 100:220]
        assert np.array_equal(spoilt.segmentation[inside], picture().segmentation[inside])  # type: ignore[index]
        assert (spoilt.segmentation != seen.segmentation).mean() < 0.03


def test_the_seed_decides_the_camera_and_its_noise() -> None:
    one, same, other = (Lens(generator(seed, "lens"), WIDTH, HEIGHT) for seed in (10**9, 10**9, 10**9 + 1))
    assert one.flaws == same.flaws != other.flaws
    first, second = one.apply(picture()).rgb, one.apply(picture()).rgb
    assert np.array_equal(first, same.apply(picture()).rgb)  # type: ignore[arg-type]
    assert not np.array_equal(first, second)  # type: ignore[arg-type]


def test_drawn_cameras_stay_in_the_stated_bounds() -> None:
    drawn = [Imperfections.draw(generator(seed, "flaws")) for seed in range(10**9, 10**9 + 200)]
    gains = np.array([flaws.gain for flaws in drawn])
    assert 0.75 <= gains.min() < gains.max() <= 1.33
    assert max(flaws.blur for flaws in drawn) <= 0.8
    assert max(flaws.noise for flaws in drawn) <= 5.0
    assert max(abs(flaws.bend) for flaws in drawn) <= 1.0


def test_a_camera_varies_only_when_told(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    pictures = []
    for vary in (False, False, True):
        node = SimCamera(width=64, height=48, vary=vary)
        node.rng = generator(10**9, "camera")
        node.listened = frozenset({"rgb"})
        node.open(panda_table)
        frames = [node.step(Time(0)).rgb for _ in range(2)]
        assert frames[0] is not None
        assert frames[1] is not None
        pictures.append((frames[0].data, frames[1].data))
    assert np.array_equal(pictures[0][0], pictures[1][1])
    assert not np.array_equal(pictures[0][0], pictures[2][0])
    assert not np.array_equal(pictures[2][0], pictures[2][1])


def test_the_settings_of_a_camera_are_checked_before_anything_runs() -> None:
    assert len(list(SimCamera(near=2.0, far=1.0).check())) == 1
    (problem,) = SimCamera(renderer="tinny").check()
    assert "'tiny'" in problem
    assert pytest.approx(0.05) == SimCamera().near
