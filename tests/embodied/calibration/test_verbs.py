"""`embodied calibrate` from end to end: twenty images of a camera of which everything is known."""

from __future__ import annotations

import json
import shlex
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from embodied.calibration import Calibration
from embodied.calibration.board import Grey
from embodied.calibration.print_sheet import sheet
from embodied.calibration.residual_plot import EDGE, ROW, WIDTH
from embodied.geometry import rotation, transform
from embodied.messages import Vector
from embodied.node.settings import Context, convert
from tests.embodied.calibration.rendered import BOARD, TRUTH, Studio, apart, held, pixels
from tests.embodied.cli.test_cli import ROOT
from tests.embodied.conftest import Command
from tests.test_readme import blocks

PLACED = 7
LYING = "0.4,-0.1,0.02,0,0,1.5708"
BOARD_LIES = transform((0.4, -0.1, 0.02), (0.0, 0.0, 1.5708))


def pose(position: Any, orientation: Any) -> Vector:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = rotation(np.array(orientation)), position
    return made


def test_twenty_rendered_boards_give_the_camera_that_took_them_where_each_was_and_where_it_stands(
    embodied: Command, tmp_path: Path
) -> None:
    shots = Studio().shots(10**9)
    folder(tmp_path, {shot.name: shot.image for shot in shots})
    words = ["--placed", f"views/{PLACED:02d}.png", "--board-pose", LYING, "--json"]
    done = embodied("calibrate", "camera", "views", *words)
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["error_px"] < 0.3
    assert [image["image"] for image in told["images"]] == [f"views/{shot.name}" for shot in shots]
    for image, shot in zip(told["images"], shots, strict=True):
        assert image["used"]
        assert image["error_px"] < 0.3
        near(pose(**image["board"]), shot.pose)
    camera = convert(Calibration, told["calibration"], Context())
    for name, deviation in told["deviations_px"].items():
        assert abs(getattr(camera, name) - getattr(TRUTH, name)) < 4 * deviation < 3.0
    x, y = np.meshgrid(np.linspace(-0.45, 0.45, 9), np.linspace(-0.25, 0.25, 9))
    seen = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)
    # Wherever it looks, that is the same direction within a tenth of a degree.
    assert np.abs(pixels(camera, seen) - pixels(TRUTH, seen)).max() < TRUTH.fx * np.radians(0.1)
    assert camera.frame == "base"
    near(pose(camera.position, camera.orientation), BOARD_LIES @ np.linalg.inv(shots[PLACED].pose))


def folder(at: Path, images: dict[str, Grey]) -> None:
    """A folder `views` with images, and with a file that is none."""
    (at / "views").mkdir()
    (at / "views" / "notes.txt").write_text("taken at noon", encoding="utf-8")
    for name, image in images.items():
        assert cv2.imwrite(str(at / "views" / name), image)


def near(one: Vector, other: Vector) -> None:
    """Two poses are the same within 2 mm and 0.2°."""
    metres, degrees = apart(one, other)
    assert metres < 0.002
    assert degrees < 0.2


PINHOLE = Calibration(width=640, height=480, fx=560.0, fy=560.0, cx=319.5, cy=239.5)


@pytest.fixture
def tilted(tmp_path: Path) -> Path:
    """Ten images of the sheet by a pinhole, which shows a plane as a homography does."""
    printed, per_metre = sheet(BOARD, 120.0)
    margin, (_, tall) = BOARD.square / 2, BOARD.size
    # From pixels of the sheet to the board's frame; their centres lie at whole numbers.
    placed = np.array(
        [(1 / per_metre, 0, 0.5 / per_metre - margin), (0, -1 / per_metre, tall + margin - 0.5 / per_metre), (0, 0, 1)]
    )
    images = {}
    for number, held_at in zip(range(10), held(BOARD, PINHOLE, np.random.default_rng(10**9)), strict=False):
        plane = np.column_stack([held_at[:3, 0], held_at[:3, 1], held_at[:3, 3]])
        shown = cv2.warpPerspective(printed, PINHOLE.matrix @ plane @ placed, (640, 480), borderValue=90)
        images[f"{number:02d}.png"] = cv2.GaussianBlur(shown, (0, 0), 0.7).astype(np.uint8)
    folder(tmp_path, images)
    return tmp_path


def test_a_camera_is_placed_only_by_an_image_that_shows_the_board(embodied: Command, tilted: Path) -> None:
    assert cv2.imwrite(str(tilted / "blank.png"), np.full((480, 640), 90, np.uint8))
    done = embodied("calibrate", "camera", "views", "--placed", "blank.png", "--board-pose", LYING)
    assert done.code == 2
    assert "error[E922]: blank.png, by which the camera is to be placed, does not show the board" in done.stderr


def test_the_site_gets_the_calibration_beside_what_it_had_and_is_not_written_over_unasked(
    embodied: Command, tilted: Path
) -> None:
    site = tilted / "site.yaml"
    site.write_text("embodied: 1\nnodes:\n  arm: {with: {ip: 10.0.0.7}}  # by the door\n", encoding="utf-8")
    words = ["calibrate", "camera", "views", "--site", "site.yaml"]
    done = embodied(*words, "--placed", "views/03.png", "--board-pose", LYING)
    assert done.code == 0, done.stderr
    for line in ("images     10 of 640x480 px, the board found in 10", "site       site.yaml: calibration of 'camera'"):
        assert line in done.stdout.splitlines()
    text = site.read_text("utf-8")
    assert text.startswith("embodied: 1\nnodes:\n  arm: {with: {ip: 10.0.0.7}}  # by the door\n  camera:\n")
    assert "        frame: base\n" in text
    again = embodied(*words)
    assert again.code == 2
    assert "error[E924]: 'camera' has a calibration in site.yaml already" in again.stderr
    assert site.read_text("utf-8") == text
    assert embodied(*words, "--replace").code == 0
    assert "arm: {with: {ip: 10.0.0.7}}  # by the door\n" in site.read_text("utf-8")
    assert "        frame: camera_optical\n" in site.read_text("utf-8")


def test_an_image_that_does_not_agree_is_named_and_the_others_are_measured_with(
    embodied: Command, tilted: Path
) -> None:
    image = cv2.imread(str(tilted / "views" / "04.png"), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    # As a rolling shutter has a board in a hand that shakes.
    rows, columns = np.mgrid[:480, :640].astype(np.float32)
    shaken = cv2.remap(image, columns + 3 * np.sin(rows / 40), rows, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    assert cv2.imwrite(str(tilted / "views" / "04.png"), shaken)
    done = embodied("calibrate", "camera", "views", "--json")
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    assert [image["image"] for image in told["images"] if not image["used"]] == ["views/04.png"]
    assert told["error_px"] < 0.3
    assert "refused    views/04.png: " in embodied("calibrate", "camera", "views").stdout


def test_the_report_shows_where_the_board_was_and_a_bar_for_every_image(embodied: Command, tilted: Path) -> None:
    done = embodied("calibrate", "camera", "views", "--report", "report.png", "--json")
    assert done.code == 0, done.stderr
    report = cv2.imread(str(tilted / "report.png"))
    assert report is not None
    assert report.shape[1] == WIDTH
    scale = (WIDTH - 2 * EDGE) / PINHOLE.width
    bars = np.any(report < 250, axis=2)[round(PINHOLE.height * scale) + 2 * EDGE + ROW :, 345]
    assert np.count_nonzero(np.diff(bars.astype(int)) == 1) == 10
    for image in json.loads(done.stdout)["images"]:
        board = pose(**image["board"])
        # Of every board this corner is in the image; others may not be.
        middle = np.array((BOARD.columns // 2, BOARD.rows // 2, 0.0)) * BOARD.square
        (at,) = pixels(PINHOLE, (board[:3, :3] @ middle + board[:3, 3])[None])
        u, v = np.rint((at + 0.5) * scale + EDGE).astype(int)
        assert (report[v - 2 : v + 3, u - 2 : u + 3] < 200).any()


def test_the_commands_and_the_site_of_the_docs_are_as_they_are_written(embodied: Command, tilted: Path) -> None:
    page = (ROOT / "docs" / "calibration.md").read_text("utf-8")
    for line in blocks("sh", page)[0].splitlines():
        done = embodied(*shlex.split(line)[1:])
        assert done.code == 0, done.stderr
    shown, _ = blocks("yaml", page)
    written = (tilted / "site.yaml").read_text("utf-8")
    assert [line.split(":")[0] for line in written.splitlines()[1:]] == [
        line.split(":")[0] for line in shown.splitlines()
    ]
    camera = convert(Calibration, yaml.safe_load(shown)["nodes"]["camera"]["with"]["calibration"], Context())
    assert camera.frame == "base"


def test_the_board_is_drawn_to_its_size(embodied: Command, tmp_path: Path) -> None:
    done = embodied("calibrate", "board", "--square", "0.02", "--squares", "7x5", "--output", "b.png", "--json")
    assert done.code == 0
    data = json.loads(done.stdout)
    assert (data["width_m"], data["height_m"]) == (pytest.approx(0.16, rel=1e-3), pytest.approx(0.12, rel=1e-3))
    assert data["board"] == {"columns": 7, "rows": 5, "square": 0.02, "marker": 0.015, "dictionary": "4X4_50"}
    written = (tmp_path / "b.png").read_bytes()
    at = written.index(b"pHYs") + 4
    assert struct.unpack(">IIB", written[at : at + 9]) == (11800, 11800, 1)
    assert "embodied calibrate camera FOLDER --squares 9x6 --square 0.025" in embodied("calibrate", "board").stdout


@pytest.fixture
def views(tmp_path: Path) -> Path:
    """Six images of the sheet as it lies in a scanner: a board that is never tilted."""
    image, _ = sheet(BOARD, 60.0)
    folder = tmp_path / "views"
    folder.mkdir()
    for number in range(6):
        assert cv2.imwrite(str(folder / f"{number}.png"), np.roll(image, 5 * number, axis=1))
    return folder


Case = tuple[tuple[str, ...], str, str]
CASES: dict[str, Case] = {
    "no such folder": (("nowhere",), "E921", "there is no nowhere"),
    "a folder without images": ((".",), "E921", "there are no images in ."),
    "a file that is no image": (("views", "notes.txt"), "E921", "notes.txt is no image"),
    "images of two sizes": (("views", "small.png"), "E921", "views/0.png of 589x412 px, small.png of 294x206"),
    "another board": (("views", "--dictionary", "6X6_50"), "E922", "the board is in no image of 6"),
    "one image": (("views/0.png", "views/0.png"), "E922", "6 images that show the board are needed, and there is 1"),
    "never tilted": (("views",), "E923", "the board is tilted alike in all images"),
    "a pose without an image": (("views", "--board-pose", LYING), "E001", "belong together"),
    "an image without a pose": (("views", "--placed", "views/0.png"), "E001", "belong together"),
    "half a pose": (
        ("views", "--placed", "views/0.png", "--board-pose", "1,2,3"),
        "E001",
        "expected X,Y,Z,ROLL,PITCH,YAW, got '1,2,3'",
    ),
    "a pose of nothing": (
        ("views", "--placed", "views/0.png", "--board-pose", "1,2,3,a,b,nan"),
        "E001",
        "expected X,Y",
    ),
    "millimetres": (("views", "--square", "25"), "E001", "square must be in [0.001, 1] m, got 25"),
    "squares in a word": (("views", "--squares", "many"), "E001", "expected COLUMNSxROWS, got 'many'"),
    "a report that is no picture": (("views", "--report", "report.pdf"), "E001", "got 'report.pdf'"),
    "a site that is none": (("views", "--site", "notes.txt"), "E104", "a launch file is a mapping"),
    "a node that can be none": (
        ("views", "--site", "new.yaml", "--node", "Left Eye"),
        "E103",
        "is not a name for a node",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_whatever_is_wrong_is_one_clear_error_and_nothing_is_written(
    name: str, views: Path, embodied: Command, tmp_path: Path
) -> None:
    words, code, says = CASES[name]
    (tmp_path / "notes.txt").write_text("taken at noon", encoding="utf-8")
    if "small.png" in words:
        half = cv2.resize(np.asarray(cv2.imread(str(views / "0.png"))), None, fx=0.5, fy=0.5)
        assert cv2.imwrite(str(tmp_path / "small.png"), half)
    before = sorted(tmp_path.rglob("*"))
    done = embodied("calibrate", "camera", *words)
    assert done.code == 2
    assert f"error[{code}]" in done.stderr
    assert says in done.stderr
    assert " = help: " in done.stderr or " --> " in done.stderr
    as_json = json.loads(embodied("calibrate", "camera", *words, "--json").stdout)
    assert [problem["code"] for problem in as_json["problems"]] == [code]
    assert sorted(tmp_path.rglob("*")) == before


def test_help_does_not_wait_for_opencv() -> None:
    code = "import sys; from embodied.cli.app import application; application(); sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
