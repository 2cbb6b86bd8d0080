"""The launch file that ships, with the driver that meets the robot: real sockets, a virtual device, and physics."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.launch import Overrides
from embodied.live.play import SLOWEST
from embodied.suite.episode import Job, Scenario, run_seed
from tests.drivers.xarm.bench import address

pytest.importorskip("pybullet", reason="sims needs pybullet, which has wheels up to Python 3.11")
pytest.importorskip("xarm", reason="the xArm's driver needs xarm-python-sdk")

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"


def test_the_very_drivers_of_the_xarm_and_its_camera_place_the_block_against_a_virtual_box_and_stream() -> None:
    host = address()
    source = f"camera.source=http://{host}:8554/virtual/overhead.mjpg"
    sets = ("robot=xarm6", f"arm.host={host}", f"box.host={host}", f"stream.host={host}", source)
    result = run_seed(Job(Scenario("virtual", PICK, "virtual", Overrides(sets=sets), live=True)), 3)
    pace = result.outcome.get("real_time_factor", 1.0)
    if result.status != "passed" and pace < SLOWEST:
        pytest.skip(f"this machine is too slow to judge: the world's time passed at {pace:.2f} of the clock's")
    assert result.status == "passed", result.reason
    assert result.outcome["devices"]["arm"] == "xArm 6, serial XF1300VIRTUAL, 2.5.0 (virtual)"
    assert result.outcome["devices"]["camera"] == "embodied virtual camera, serial overhead (virtual)"
    assert not result.outcome["events"]
