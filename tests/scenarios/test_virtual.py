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
pytest.importorskip("scservo_sdk", reason="the SO-101's driver needs ftservo-python-sdk")

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"


def placed(host: str, *sets: str) -> dict[str, str]:
    """What the drivers met, once the block was placed; the camera's pictures come from that host."""
    stream = (f"stream.host={host}", f"camera.source=http://{host}:8554/virtual/overhead.mjpg")
    result = run_seed(Job(Scenario("virtual", PICK, "virtual", Overrides(sets=(*sets, *stream)), live=True)), 3)
    pace = result.outcome.get("real_time_factor", 1.0)
    if result.status != "passed" and pace < SLOWEST:
        pytest.skip(f"this machine is too slow to judge: the world's time passed at {pace:.2f} of the clock's")
    assert result.status == "passed", result.reason
    # A process that takes longer than a second to end, as one of a vendor's SDK may on a busy machine, has worked.
    assert not [event for event in result.outcome["events"] if event["kind"] != "stopped"]
    met: dict[str, str] = result.outcome["devices"]
    assert met["camera"] == "embodied virtual camera, serial overhead (virtual)"
    return met


def test_the_very_drivers_of_the_xarm_and_its_camera_place_the_block_against_a_virtual_box_and_stream() -> None:
    host = address()
    met = placed(host, "robot=xarm6", f"arm.host={host}", f"box.host={host}")
    assert met["arm"] == "xArm 6, serial XF1300VIRTUAL, 2.5.0 (virtual)"


def test_the_very_drivers_of_the_so101_and_its_camera_place_the_block_against_a_virtual_bus_and_stream(
    tmp_path: Path,
) -> None:
    link = tmp_path / "arm"
    met = placed(address(), "robot=so101", f"arm.port={link}", f"bus.link={link}")
    assert met["arm"] == "SO-100 or SO-101, serial VIRTUAL-SO101, 3.10 (virtual)"
