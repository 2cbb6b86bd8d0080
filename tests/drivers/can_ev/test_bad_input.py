"""Wrong settings of a vehicle in a launch file are one clear error with its place, before anything is armed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.can_ev import CanEV
from drivers.can_ev.generic import GENERIC
from embodied.errors import LaunchError, NoDevice
from embodied.launch import Overrides, load
from embodied.runtime.lockstep import Lockstep

CELL = """\
embodied: 1
clock: lockstep
nodes:
  car:
    use: "drivers.can_ev:CanEV"
    with: {interface: slcan, channel: adapter}
    in: {command: guard}
  guard:
    use: "embodied.guards:VehicleGuard"
    with: {wheelbase: 0.6}
    in: {state: car.state, battery: {from: car.battery, max_age: 300ms}}
"""


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a launch file with a vehicle whose adapter is not plugged in."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "cell.yaml"
    file.write_text(CELL, "utf-8")
    return file


def refused(cell: Path, *sets: str) -> str:
    """Return the one problem of the driver after some settings are changed."""
    with pytest.raises(LaunchError) as caught:
        load(cell, Overrides(sets=sets)).graph().check()
    (problem,) = caught.value.problems
    assert problem.code == "E207"
    assert "cell.yaml:5:" in str(problem)
    return str(problem)


def test_a_cell_with_a_vehicle_is_right(cell: Path) -> None:
    assert len(load(cell).graph().check().nodes) == 2


def test_an_unknown_vehicle_is_refused_with_the_known_ones(cell: Path) -> None:
    assert "there is no vehicle 'byd_seal'; known: generic, tesla" in refused(cell, "car.vehicle=byd_seal")


def test_a_dbc_without_a_required_message_is_refused_with_a_similar_name(cell: Path, tmp_path: Path) -> None:
    text = GENERIC.dbc.read_text("cp1252").replace("MotionReport", "MovingReport")
    (tmp_path / "other.dbc").write_text(text, "cp1252")
    assert "it has no message 'MotionReport'; did you mean 'MovingReport'?" in refused(cell, "car.dbc=other.dbc")


def test_a_dbc_that_does_not_parse_is_refused_with_its_line(cell: Path, tmp_path: Path) -> None:
    text = GENERIC.dbc.read_text("cp1252").replace("SG_ Speed : 32|16@1-", "SG_ Speed 32|16@1-", 1)
    (tmp_path / "broken.dbc").write_text(text, "cp1252")
    problem = refused(cell, "car.dbc=broken.dbc")
    assert "broken.dbc is no DBC that can be parsed" in problem
    assert "line 17" in problem


def test_a_signal_in_an_unknown_unit_is_refused_with_the_known_ones(cell: Path, tmp_path: Path) -> None:
    text = GENERIC.dbc.read_text("cp1252").replace('[-60|60] "m/s" Unit', '[-60|60] "degC" Unit', 1)
    (tmp_path / "warm.dbc").write_text(text, "cp1252")
    problem = refused(cell, "car.dbc=warm.dbc")
    assert "unit of DriveCommand.Speed, speed, must be one of 'm/s', 'km/h', 'kph', 'mph', got 'degC'" in problem


def test_a_missing_serial_port_is_an_error_before_anything_is_armed(
    cell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.can_ev.driver.BOOT_TIMEOUT", 0.1)
    armed: list[bool] = []
    monkeypatch.setattr(CanEV, "arm", lambda _: armed.append(True))
    run = Lockstep(load(cell).graph().check(), seed=0)
    with pytest.raises(NoDevice, match=r"'car': there is no serial port adapter\n.*is the CAN adapter plugged in"), run:
        pass
    assert not armed


def test_a_live_run_reports_a_missing_port_once_and_ends_as_with_a_wrong_launch_file(cell: Path) -> None:
    cell.write_text(CELL.replace("clock: lockstep\n", ""), "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "embodied", "run", str(cell)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("'car': there is no serial port adapter\n   = help: "), ended.stderr
