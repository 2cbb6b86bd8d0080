"""What `embodied doctor` is given about the simulator and the renderers."""

from __future__ import annotations

import sys

import pytest

from sims.diagnose import diagnose
from sims.rendering import VERSIONS, choose


def test_the_simulator_and_each_renderer_are_reported_with_their_versions() -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    simulator, renderer = diagnose()
    assert simulator[:2] == ("pybullet", True)
    assert simulator[2][0].isdigit()
    name, ok, found, repair = renderer
    assert (name, ok, repair) == ("renderer", True, "")
    assert found.startswith(" ".join(choose()))
    assert all(other in found for other in VERSIONS)


def test_a_missing_simulator_is_a_finding_with_its_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybullet", None)
    simulator, renderer = diagnose()
    assert simulator[:2] == ("pybullet", False)
    assert "3.11 to 3.13" in simulator[3]
    # The renderers that need no simulator still work.
    assert renderer[1]
