"""The setting `calibration`, from a camera's measurement through a site file into its node."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.calibration import OPTICAL, Calibration
from embodied.errors import LaunchError
from embodied.geometry import BASE, transform
from embodied.launch import Overrides, load
from embodied.launch.site import Site
from embodied.node.settings import Context, SettingError, convert
from tests.embodied.calibration.rendered import TRUTH

LAUNCH = 'embodied: 1\nclock: lockstep\nnodes: {camera: {use: "tests.embodied.calibration.nodes:Eye"}}\n'


def test_what_is_written_into_a_site_is_what_the_node_is_given(tmp_path: Path) -> None:
    camera = TRUTH.at(transform((0.4, -0.1, 0.7), (3.0, 0.1, 0.7)))
    (tmp_path / "cell.yaml").write_text(LAUNCH, encoding="utf-8")
    Site.read(tmp_path / "site.yaml").put("camera", "calibration", camera.setting()).write()
    graph = load(tmp_path / "cell.yaml", Overrides(site=tmp_path / "site.yaml")).graph()
    graph.check()
    given = graph.entries["camera"].node.calibration  # type: ignore[attr-defined]
    assert isinstance(given, Calibration)
    assert asdict(given) == asdict(camera) | {
        name: pytest.approx(getattr(camera, name), abs=1e-6) for name in ("position", "orientation")
    }
    info = given.info()
    assert info.frame == BASE
    assert np.allclose(info.matrix, ((758.0, 0, 488.3), (0, 761.0, 263.7), (0, 0, 1)))


def test_a_camera_of_unknown_place_claims_none() -> None:
    info = TRUTH.info()
    assert info.frame == OPTICAL != BASE
    assert info.position.tolist() == [0.0, 0.0, 0.0]
    assert info.orientation.tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"fx": -1.0}, "fx must be above 0 px and finite, got -1.0"),
        ({"width": 0}, "width must be above 0 px and finite, got 0"),
        ({"cy": 540.0}, "cy must be in [0, 539] px, got 540.0"),
        ({"orientation": [0, 0, 0, 2]}, "orientation must be a quaternion of length 1, got [0.0, 0.0, 0.0, 2.0]"),
        ({"distortion": [0.1, 0.2]}, "'distortion': expected a list of 5 numbers, got 2"),
        ({"fx": float("nan")}, "'fx': expected a finite number"),
        ({"focal": 3.0}, "has no setting 'focal'"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_where_it_is_written(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        convert(Calibration, TRUTH.setting() | wrong, Context())
    assert says in str(caught.value)


def test_a_site_is_refused_with_its_place_where_its_camera_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "cell.yaml").write_text(LAUNCH, encoding="utf-8")
    wrong = replace(TRUTH, fx=1.0).setting() | {"fx": 0.0}
    Site.read(tmp_path / "site.yaml").put("camera", "calibration", wrong).write()
    with pytest.raises(LaunchError) as caught:
        load(tmp_path / "cell.yaml", Overrides(site=tmp_path / "site.yaml")).graph()
    (problem,) = caught.value.problems
    assert problem.code == "E205"
    assert problem.place is not None
    assert problem.place.file.endswith("site.yaml")
