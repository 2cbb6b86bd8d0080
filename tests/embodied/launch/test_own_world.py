"""A world of a project of its own: its cameras have names of their own, and it needs no arm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embodied.conftest import Command

BELT = """
from dataclasses import dataclass

import numpy as np

from embodied.messages import CameraInfo
from embodied.world import Rendering, Verdict


class Lamp:
    def __init__(self, size):
        self.size = size

    def vary(self, rng):
        pass

    def info(self):
        width, height = self.size
        return CameraInfo(
            width=width,
            height=height,
            matrix=np.eye(3),
            position=np.zeros(3),
            orientation=np.array([0.0, 0.0, 0.0, 1.0]),
            frame="base",
        )

    def render(self, *, rgb=True, depth=False, segmentation=False):
        width, height = self.size
        return Rendering(np.full((height, width, 3), 40, np.uint8) if rgb else None, None, None)


@dataclass
class Belt:
    spare: bool = False
    rate: float = 100.0

    @property
    def views(self):
        return ("conveyor", "spare") if self.spare else ("conveyor",)

    def reset(self, seed):
        self.now = 0

    def advance(self, to):
        self.now = to

    def camera(self, name, *, width=320, height=240):
        return Lamp((width, height))

    def about(self):
        return {}

    def truth(self):
        return {}

    def verdict(self):
        return Verdict(True, "a tenth of a second has passed") if self.now >= 10**8 else None

    def close(self):
        pass
"""

BRIGHTNESS = """
from dataclasses import dataclass

from embodied import Node
from embodied.messages import Image, Target


@dataclass
class Brightness(Node):
    def step(self, image: Image) -> Target:
        return Target(label=str(int(image.data.mean())))
"""

LAUNCH = """
embodied: 1
clock: lockstep
world: {use: "sims.belt:Belt"}
nodes:
  eye: {use: "sims.camera:SimCamera", with: {view: conveyor, width: 64, height: 48}}
  level: {use: "policies.brightness:Brightness", in: {image: eye.rgb}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder, name, text in (("sims", "belt", BELT), ("policies", "brightness", BRIGHTNESS)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def test_a_camera_of_a_world_of_ones_own_is_proven_by_check_and_renders(project: Path, embodied: Command) -> None:
    (project / "cell.yaml").write_text(LAUNCH, encoding="utf-8")
    assert embodied("check", "cell.yaml").code == 0
    done = embodied("run", "cell.yaml")
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("view: conveyor", "view: conveyer", "there is no camera 'conveyer' in Belt; did you mean 'conveyor'?"),
        ("view: conveyor", "view: overhead", "there is no camera 'overhead' in Belt"),
        ("view: conveyor", "view: spare", "there is no camera 'spare' in Belt"),
    ],
)
def test_check_proves_the_view_of_a_camera_against_the_world_of_the_launch_file(
    project: Path, embodied: Command, right: str, wrong: str, sentence: str
) -> None:
    (project / "cell.yaml").write_text(LAUNCH.replace(right, wrong), encoding="utf-8")
    done = embodied("check", "cell.yaml")
    assert done.code == 2
    assert f"error[E207]: 'eye': {sentence}" in done.stderr
    more = LAUNCH.replace(right, wrong).replace('Belt"', 'Belt", with: {spare: true}')
    (project / "cell.yaml").write_text(more, encoding="utf-8")
    assert embodied("check", "cell.yaml").code == (0 if wrong == "view: spare" else 2)


def test_check_names_the_body_that_a_world_lacks(project: Path, embodied: Command) -> None:
    nodes = LAUNCH + '  car: {use: "sims.car:SimCar"}\n  drone: {use: "sims.drone:SimDrone"}\n'
    (project / "cell.yaml").write_text(nodes, encoding="utf-8")
    done = embodied("check", "cell.yaml")
    assert done.code == 2
    assert "error[E207]: 'car': Belt has no road vehicles" in done.stderr
    assert "error[E207]: 'drone': Belt has no multirotors" in done.stderr
