import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from embodied.errors import EmbodiedError, MissingExtra, WorldFailed
from embodied.world import Rendering
from sims.bullet import Bullet
from sims.rendering import VERSIONS, Light, Rasteriser, choose, egl, mesh_files
from sims.rendering.models import Models
from sims.rendering.view import FAR, NEAR, ImageFormat, View
from sims.tabletop.world import CAMERAS, Tabletop

SEEDS = range(10**9, 10**9 + 3)
UP = Light((0.0, 0.0, 1.0))


@pytest.fixture
def bullet() -> Iterator[Bullet]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    made = Bullet()
    yield made
    made.close()


def all_three(table: Tabletop, name: str, renderer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    seen = table.camera(name, renderer=renderer, shadows=False).render(rgb=True, depth=True, segmentation=True)
    assert seen.rgb is not None
    assert seen.depth is not None
    assert seen.segmentation is not None
    return seen.rgb, seen.depth, seen.segmentation


def works(name: str) -> bool:
    try:
        choose(name)
    except EmbodiedError:
        return False
    return True


@pytest.mark.parametrize("renderer", [name for name in VERSIONS if name != "tiny"])
@pytest.mark.parametrize("name", CAMERAS)
def test_a_renderer_sees_what_tiny_renderer_sees(table: Tabletop, name: str, renderer: str) -> None:
    if not works(renderer):
        pytest.skip(f"{renderer} does not work on this machine")
    for seed in SEEDS:
        table.reset(seed)
        (rgb, depth, numbers), (rgb_, depth_, numbers_) = (all_three(table, name, each) for each in (renderer, "tiny"))
        for body in np.unique(numbers_):
            mine, theirs = numbers == body, numbers_ == body
            assert theirs.sum() <= 100 or (mine & theirs).sum() > 0.98 * (mine | theirs).sum()
        same = numbers == numbers_
        assert same.mean() > 0.999
        assert np.quantile(np.abs(depth - depth_)[same], 0.99) < 0.001
        assert np.quantile(np.abs(rgb.astype(int) - rgb_)[same], 0.99) <= 3


def test_what_stands_still_may_be_drawn_once_and_nothing_shows_it(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    camera = panda_table.camera("overhead")
    first, _, third = (camera.render(rgb=True, depth=True, segmentation=True) for _ in range(3))
    assert first.rgb is not None
    assert np.array_equal(first.rgb, third.rgb)  # type: ignore[arg-type]
    assert np.array_equal(first.depth, third.depth)  # type: ignore[arg-type]
    assert np.array_equal(first.segmentation, third.segmentation)  # type: ignore[arg-type]
    panda_table.place("red", np.array([0.5, 0.0, 0.2]), np.array([0.0, 0.0, 0.0, 1.0]))
    moved = camera.render().rgb
    fresh = panda_table.camera("overhead").render().rgb
    assert moved is not None
    assert fresh is not None
    assert not np.array_equal(moved, first.rgb)
    assert np.array_equal(moved, fresh)


def test_a_still_body_that_is_put_elsewhere_is_seen_there(bullet: Bullet) -> None:
    view = View.towards((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), ImageFormat(64, 48, NEAR, FAR), 1.0)
    shape = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=(0.1, 0.1, 0.1))
    body = bullet.createMultiBody(0, -1, shape)
    models = Models.read(bullet, {})
    renderer = Rasteriser(models, UP)
    middles = []
    for x in (0.2, 0.2, 0.2, -0.2):
        bullet.resetBasePositionAndOrientation(body, (x, 0, 0), (0, 0, 0, 1))
        seen = renderer.render(models.snapshot(bullet), view, rgb=False, depth=False, segmentation=True).segmentation
        assert seen is not None
        middles.append(np.argwhere(seen == body).mean(axis=0)[0])
    assert middles[0] == middles[1] == middles[2]
    assert middles[3] - middles[2] == pytest.approx(0.4 / 1.9 * view.focal, abs=1.0)


def test_the_origin_of_a_body_is_not_its_centre_of_mass(bullet: Bullet) -> None:
    view = View.towards((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), ImageFormat(64, 48, NEAR, FAR), 1.0)
    shape = bullet.createVisualShape(bullet.GEOM_SPHERE, radius=0.1)
    body = bullet.createMultiBody(1.0, -1, shape, (0, 0, 0), baseInertialFramePosition=(0.2, 0, 0))
    models = Models.read(bullet, {})
    seen = Rasteriser(models, UP).render(models.snapshot(bullet), view, rgb=False, depth=False, segmentation=True)
    oracle = bullet.getCameraImage(
        64, 48, view.opengl().T.ravel().tolist(), view.projection().T.ravel().tolist(), renderer=1 << 16
    )
    assert seen.segmentation is not None
    mine, theirs = (np.reshape(part, (48, 64)) == body for part in (seen.segmentation, oracle[4]))
    assert (mine & theirs).sum() > 0.95 * (mine | theirs).sum()


def test_a_camera_amid_a_surface_sees_the_part_beyond_its_near_plane(bullet: Bullet) -> None:
    # The floor passes under the camera and behind it; its triangles must be cut.
    shape = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=(5, 5, 0.5))
    bullet.createMultiBody(0, -1, shape, (0, 0, -0.5))
    models = Models.read(bullet, {})
    view = View.towards((0.0, 0.0, 0.3), (2.0, 0.0, 0.0), ImageFormat(64, 48, NEAR, FAR), 1.5)
    depth = (
        Rasteriser(models, UP).render(models.snapshot(bullet), view, rgb=False, depth=True, segmentation=False).depth
    )
    assert depth is not None
    rays = view.rays()
    expected = np.where(rays[..., 2] < 0, -0.3 / rays[..., 2], np.inf)
    seen = (expected > view.near) & (expected < 4.0)
    assert seen.mean() > 0.4
    assert np.abs(depth[seen] - expected[seen]).max() < 1e-3


def test_the_same_snapshot_gives_the_same_bytes_in_another_process(panda_table: Tabletop, tmp_path: Path) -> None:
    panda_table.reset(10**9)
    stage, view = panda_table.camera("overhead")._stage, panda_table.camera("overhead")._view()
    here = Rasteriser(stage.models, UP).render(stage.poses(), view, rgb=True, depth=True, segmentation=True)
    (tmp_path / "in").write_bytes(pickle.dumps((stage.models, UP, stage.poses(), view)))
    code = (
        "import pickle, sys; from pathlib import Path; from sims.rendering import Rasteriser\n"
        "models, light, poses, view = pickle.loads(Path(sys.argv[1], 'in').read_bytes())\n"
        "seen = Rasteriser(models, light).render(poses, view, rgb=True, depth=True, segmentation=True)\n"
        "assert 'pybullet' not in sys.modules\n"
        "Path(sys.argv[1], 'out').write_bytes(pickle.dumps(seen))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[3])
    there: Rendering = pickle.loads((tmp_path / "out").read_bytes())
    for mine, theirs in zip(dataclasses.astuple(here), dataclasses.astuple(there), strict=True):
        assert np.array_equal(mine, theirs)


def test_a_shadow_darkens_to_the_ambient_light_and_moves_nothing(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    plain, shaded = (
        panda_table.camera("overhead", shadows=on).render(rgb=True, segmentation=True) for on in (False, True)
    )
    assert plain.rgb is not None
    assert shaded.rgb is not None
    assert np.array_equal(plain.segmentation, shaded.segmentation)  # type: ignore[arg-type]
    darker = shaded.rgb.astype(int).sum(axis=-1) < 0.9 * plain.rgb.sum(axis=-1)
    assert 0.005 < darker.mean() < 0.5
    assert (shaded.rgb <= plain.rgb).all()


def test_the_wrist_camera_moves_with_the_arm_and_sees_its_fingers(table: Tabletop) -> None:
    table.reset(10**9)
    camera = table.camera("wrist")
    before = camera.info().position
    numbers = camera.render(rgb=False, segmentation=True).segmentation
    assert numbers is not None
    assert 0.002 < (numbers == table.arm().body).mean() < 0.6
    home = table.robot.limit("home")
    table.arm().place(home + 0.2, 0.04)
    assert np.linalg.norm(camera.info().position - before) > 0.02


def test_a_picture_on_a_mesh_is_seen_as_tiny_renderer_sees_it(bullet: Bullet, tmp_path: Path) -> None:
    checks = np.kron(np.indices((4, 4)).sum(axis=0) % 2, np.ones((16, 16)))[..., None] * np.array([200, 120, 40])
    cv2.imwrite(str(tmp_path / "checks.png"), checks + 20)
    (tmp_path / "tile.mtl").write_text("newmtl tile\nKd 1 1 1\nmap_Kd checks.png\n")
    lines = ["mtllib tile.mtl", "v -1 -1 0", "v 1 -1 0", "v 1 1 0", "v -1 1 0", "vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    (tmp_path / "tile.obj").write_text("\n".join([*lines, "vn 0 0 1", "usemtl tile", "f 1/1/1 2/2/1 3/3/1 4/4/1\n"]))
    shape = bullet.createVisualShape(bullet.GEOM_MESH, fileName=str(tmp_path / "tile.obj"))
    bullet.createMultiBody(0, -1, shape)
    view = View.towards((0.6, 0.3, 1.8), (0.1, 0.0, 0.0), ImageFormat(160, 120, NEAR, FAR), 2.2)
    models = Models.read(bullet, {})
    seen = Rasteriser(models, UP).render(models.snapshot(bullet), view, rgb=True, depth=False, segmentation=True)
    picture = bullet.getCameraImage(
        160, 120, view.opengl().T.ravel().tolist(), view.projection().T.ravel().tolist(),
        lightDirection=UP.towards, lightColor=(1, 1, 1), lightAmbientCoeff=UP.ambient, lightDiffuseCoeff=UP.diffuse,
        lightSpecularCoeff=0, shadow=0, renderer=bullet.ER_TINY_RENDERER,
    )  # fmt: skip
    oracle = np.reshape(picture[2], (120, 160, 4))[..., :3].astype(int)
    assert seen.rgb is not None
    assert seen.segmentation is not None
    inside = seen.segmentation == 0
    assert inside.mean() > 0.3
    assert (np.abs(seen.rgb.astype(int) - oracle).max(axis=-1)[inside] <= 3).mean() > 0.97


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        ("", "no triangles"),
        ("v 0 0 0\nf 1 2 3\n", "names the corner 2"),
        ("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "3 finite numbers"),
        ("v 0 0 zero\n", "could not convert"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\n" + "f 1 2 3\n" * 11, "triangles must be at most 10, got 11"),
        ("v 0 0 0\n" * 1000, "size must be at most"),
    ],
)
def test_a_mesh_that_cannot_be_drawn_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, says: str
) -> None:
    monkeypatch.setattr(mesh_files, "TRIANGLES_MOST", 10)
    monkeypatch.setattr(mesh_files, "FILE_SIZE_MOST", 4096)
    path = tmp_path / "part.obj"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WorldFailed, match=r"part\.obj") as failed:
        mesh_files.read(path)
    assert says in str(failed.value)


def test_a_texture_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "tile.mtl").write_text("map_Kd words.png\n")
    (tmp_path / "words.png").write_text("these are words")
    text = "mtllib tile.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    with pytest.raises(WorldFailed, match=r"words\.png: it is not an image"):
        mesh_files.parse_obj(text, tmp_path)


@pytest.mark.parametrize(
    "odd",
    [
        {"width": 0},
        {"width": 16_000, "height": 16_000},
        {"near": 3.0, "far": 1.0},
        {"near": 0.0},
        {"renderer": "opncv"},
    ],
)
def test_an_impossible_camera_is_refused_with_a_sentence(panda_table: Tabletop, odd: dict[str, float]) -> None:
    panda_table.reset(10**9)
    with pytest.raises(WorldFailed, match=r"px|near|opencv"):
        panda_table.camera("overhead", **odd)  # type: ignore[arg-type]


def test_without_its_library_a_renderer_says_so_and_the_next_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    assert choose()[0] == next(iter(VERSIONS)) == "opencv"
    monkeypatch.delattr(cv2, "triangleRasterize")
    assert choose()[0] == ("egl" if works("egl") else "tiny")
    with pytest.raises(WorldFailed, match="pip install"):
        choose("opencv")


def test_without_its_package_or_its_driver_egl_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    egl._context.cache_clear()
    monkeypatch.setitem(sys.modules, "moderngl", None)
    with pytest.raises(MissingExtra, match=r"\[render\]"):
        choose("egl")

    class Bare:
        @staticmethod
        def create_context(**_: object) -> None:
            raise OSError("libEGL.so: cannot open shared object file")

    monkeypatch.setitem(sys.modules, "moderngl", Bare)
    with pytest.raises(WorldFailed, match=r"libEGL\.so.*apt install"):
        choose("egl")


def test_a_world_says_which_renderers_draw(panda_table: Tabletop) -> None:
    panda_table.reset(10**9)
    assert panda_table.about() == {}
    panda_table.camera("overhead", renderer="tiny")
    panda_table.camera("overview")
    assert panda_table.about()["renderer"].startswith("opencv 5")
    assert "tiny" in panda_table.about()["renderer"]
