"""The launch files that ship, with the drivers that meet the robots: real sockets, virtual devices, and physics.

The arms finish their task; drone and shuttle set out, and finish theirs in lockstep, and here by `make virtual`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embodied.clock import SECOND, Time
from embodied.launch import Overrides
from embodied.live.episode import SLOWEST
from embodied.suite.seed_run import Job, Result, Scenario, run_seed
from tests.drivers.mavlink.bench import port
from tests.drivers.xarm.bench import address

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
pytest.importorskip("xarm", reason="the xArm's driver needs xarm-python-sdk")
pytest.importorskip("scservo_sdk", reason="the SO-101's driver needs ftservo-python-sdk")
pytest.importorskip("pymavlink", reason="the driver of PX4 multirotors needs pymavlink")
pytest.importorskip("cantools", reason="the driver of vehicles on CAN needs cantools")

PATIENCE = 0.15
"""Delay of a node above which a failure says nothing about the drivers, twice that of a machine with time [s]."""

LAUNCH = Path(__file__).parents[2] / "launch"


def latest(outcome: Mapping[str, Any]) -> float:
    """How late a step of any node was at most [s]."""
    steps = [node for process in outcome.get("counts", {}).values() for node in process["nodes"].values()]
    return max((node["late_ns"] for node in steps), default=0) / SECOND


def run(file: str, view: str, host: str, *sets: str, seconds: float | None = None) -> Result:
    """Run a launch file on the steady clock; the camera's pictures come from that host."""
    stream = (f"stream.host={host}", f"camera.source=http://{host}:8554/virtual/{view}.mjpg")
    limit = None if seconds is None else Time(round(seconds * SECOND))
    scenario = Scenario("virtual", LAUNCH / file, "virtual", Overrides(sets=(*sets, *stream)), limit, live=True)
    return run_seed(Job(scenario), 3).result


def skip_if_slow(result: Result) -> None:
    """Skip the test of a run that this machine was too slow for."""
    pace, late = result.outcome.get("real_time_factor", 1.0), latest(result.outcome)
    if pace < SLOWEST or late > PATIENCE:
        text = f"the world's time passed at {pace:.2f} of the clock's, a node was late by {late:.2f} s"
        pytest.skip(f"this machine is too slow to judge: {text}; {result.reason}")


def met(result: Result, view: str) -> dict[str, str]:
    """What the drivers met in a run in which no process failed, by node."""
    # A process that takes longer than a second to end, as any may on a busy machine, has worked.
    assert not [event for event in result.outcome["events"] if event["kind"] != "stopped"]
    devices: dict[str, str] = result.outcome["devices"]
    assert devices["camera"] == f"embodied virtual camera, serial {view} (virtual)"
    return devices


def done(file: str, view: str, host: str, *sets: str) -> dict[str, str]:
    """What the drivers met, once the task of a launch file was done."""
    result = run(file, view, host, *sets)
    if result.status != "passed":
        skip_if_slow(result)
    assert result.status == "passed", result.reason
    return met(result, view)


def under_way(file: str, view: str, host: str, driver: str, seen: str, *sets: str) -> dict[str, str]:
    """What the drivers met, in 8 s in which the camera's pictures were evaluated and a driver carried out commands."""
    result = run(file, view, host, *sets, seconds=8.0)
    assert result.outcome["reason"] == "not decided within 8.0 s"
    counts = {name: topic["published"] for name, topic in result.outcome["topics"].items()}
    # Half of what comes on a machine with time, and 2 s of commands: one that is armed late flies all the same.
    wanted = {seen: 40, f"{driver}.state": 200, f"{driver}.applied": 100}
    if missing := {name: counts[name] for name, least in wanted.items() if counts[name] < least}:
        skip_if_slow(result)
    assert not missing, f"{missing}, where at least {wanted} were to be published"
    return met(result, view)


def test_the_very_drivers_of_the_xarm_and_its_camera_place_the_block_against_a_virtual_box_and_stream() -> None:
    host = address()
    there = done("pick_place.yaml", "overhead", host, "robot=xarm6", f"arm.host={host}", f"box.host={host}")
    assert there["arm"] == "xArm 6, serial XF1300VIRTUAL, 2.5.0 (virtual)"


def test_the_very_drivers_of_the_so101_and_its_camera_place_the_block_against_a_virtual_bus_and_stream(
    tmp_path: Path,
) -> None:
    link = tmp_path / "arm"
    there = done("pick_place.yaml", "overhead", address(), "robot=so101", f"arm.port={link}", f"bus.link={link}")
    assert there["arm"] == "SO-100 or SO-101, serial VIRTUAL-SO101, 3.10 (virtual)"


def test_the_very_drivers_of_the_drone_and_its_camera_set_out_against_a_virtual_autopilot_and_stream() -> None:
    to = port()
    url, target = f"drone.url=udpin:127.0.0.1:{to}", f"autopilot.target={to}"
    sets = (url, target, "autopilot.source=0")
    there = under_way("drone_inspect.yaml", "down", address(), "drone", "markers.detections", *sets)
    assert there["drone"] == "PX4 quadrotor, serial 656d626f6469656400000000000000000001, 1.15.4 (virtual)"


def test_the_very_drivers_of_the_shuttle_and_its_camera_set_out_against_a_virtual_unit_and_stream(
    tmp_path: Path,
) -> None:
    sets = (f"car.channel={tmp_path / 'unit'}", f"unit.link={tmp_path / 'unit'}")
    there = under_way("ev_shuttle.yaml", "front", address(), "car", "lane.lane", *sets)
    assert there["car"] == "generic drive-by-wire unit EV-1, serial VIRTUAL-EV (virtual)"
