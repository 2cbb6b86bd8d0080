"""Driver of the SO-101 beyond the contract: how it is armed, and how it reacts to faults of its motors."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scservo_sdk import PortHandler

from drivers.so101 import SO101, codec, control_table
from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import TICK
from drivers.so101.motors import Motors
from drivers.so101.scan import scan
from drivers.so101.servos import IDS, JOINTS
from drivers.so101.virtual import VirtualSO101
from embodied.clock import SECOND, Time
from embodied.errors import DeviceInUse, DeviceLost, NoDevice, NotStopped, WrongDevice
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState, Vector
from embodied.messages.schema import Command
from embodied.testing.serving import Drive, Serving, Stepper
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.so101.bench import CALIBRATION, ROBOT, KinematicBench


@contextmanager
def moving(**settings: Any) -> Iterator[tuple[KinematicBench, Drive]]:
    bench = KinematicBench(**settings)
    with bench.served(), bench.ready() as drive:
        drive.go(0.3, bench.motion)
        yield bench, drive


def say(bench: KinematicBench, frame: codec.Frame) -> None:
    """Send a frame on the bus as another program."""
    port = PortHandler(bench.virtual.address)
    port.openPort()
    port.writePort(frame.pack())
    port.closePort()


def stands(bench: KinematicBench, drive: Drive, seconds: float = 0.4) -> None:
    drive.go(drive.driver.stops_within, bench.motion)
    stood = bench.virtual.position()
    drive.go(seconds, bench.motion)
    assert np.abs(bench.virtual.position() - stood).max() < bench.tolerance


def until(drive: Drive, bench: KinematicBench, state: str) -> None:
    for _ in range(60):
        drive.go(0.1, bench.motion)
        assert drive.status is not None
        if drive.status.state == state:
            return
    raise AssertionError(f"its status was never {state}")


def statuses(drive: Drive) -> list[DeviceStatus]:
    found = [each["status"] for each in drive.outputs]
    return [status for status in found if isinstance(status, DeviceStatus)]


def reason(drive: Drive) -> str:
    assert drive.status is not None
    return drive.status.reason


def joints(command: Command | None) -> JointCommand:
    assert isinstance(command, JointCommand)
    return command


def positions(command: Command | None) -> Vector:
    position = joints(command).position
    assert position is not None
    return position


def warmth(drive: Drive) -> list[float]:
    """Temperatures of the shoulder's motor, as they were published [degC]."""
    published = [status.temperature for status in statuses(drive)]
    return [float(motors[1]) for motors in published if motors is not None]


def switched_on(bench: KinematicBench) -> list[int]:
    """ServoScale whose motor is on."""
    motors = Motors(bench.virtual.address, control_table.BAUDS[0])
    try:
        return [servo for servo in IDS if motors.read(servo, control_table.TORQUE)[0]]
    finally:
        motors.close()


def test_what_is_calibrated_at_both_ends_is_the_same_arm() -> None:
    with moving(calibration=CALIBRATION) as (bench, drive):
        drive.go(0.3, bench.motion)
        assert np.abs(drive.newest(JointState).position - bench.virtual.position()).max() < 0.03
        assert bench.same(joints(drive.applied), bench.virtual.received()[-1])
        limits = drive.driver.identify().joints
        assert all(limits[name].lower <= ROBOT.joints[name].lower for name in JOINTS)


def test_a_motor_that_is_switched_on_does_not_move() -> None:
    bench = KinematicBench()
    with bench.served():
        before = bench.virtual.position()
        with bench.ready() as drive:
            drive.go(0.5)
            assert np.abs(bench.virtual.position() - before).max() < TICK


def test_an_arm_that_is_closed_is_held_and_let_go_only_if_that_is_wanted() -> None:
    bench = KinematicBench()
    with bench.served():
        with bench.ready():
            pass
        assert switched_on(bench) == list(IDS)
        with bench.ready(release=True):
            pass
        assert not switched_on(bench)


def test_a_command_that_jumps_is_approached_no_faster_than_the_joints_may_go() -> None:
    with moving() as (bench, drive):
        home = ROBOT.limit("home")
        far = home - np.copysign(0.7, home)
        before = positions(drive.applied)
        drive.go(0.1, lambda _: JointCommand(position=far))
        after = positions(drive.applied)
        assert np.all(np.abs(after - before) > 0.01)
        assert np.abs(after - before).max() <= ROBOT.limit("velocity").max() * 0.25
        drive.go(1.5, lambda _: JointCommand(position=far))
        assert np.abs(bench.virtual.position() - far).max() < 3 * TICK


def test_the_gripper_goes_to_its_opening_and_says_it() -> None:
    with moving() as (bench, drive):
        drive.go(1.0, lambda _: JointCommand(gripper=0.03))
        assert abs(drive.newest(GripperState).width - 0.03) < 5e-4
        assert joints(bench.virtual.received()[-1]).gripper == pytest.approx(0.03, abs=5e-4)


def test_a_motor_that_is_warmer_than_it_may_be_ends_all_motion_although_its_servo_would_go_on() -> None:
    with moving() as (bench, drive):
        assert isinstance(drive.driver, SO101)
        drive.driver.hottest = 20.0
        until(drive, bench, "fault")
        assert drive.applied is None
        assert "shoulder_pan: its motor must be at most 20 °C, got 28" in reason(drive)
        stands(bench, drive)
        with pytest.raises(NotStopped, match="cannot be armed: shoulder_pan"):
            drive.driver.arm()


def test_a_motor_that_is_too_hot_ends_all_motion_until_it_has_cooled_down_and_is_armed_again() -> None:
    with moving() as (bench, drive):
        bench.virtual.inject("over-temperature")
        until(drive, bench, "fault")
        assert drive.applied is None
        assert "shoulder_lift: it is too hot and has switched off: let it cool down" in reason(drive)
        assert reason(drive).endswith("then arm it again")
        assert max(warmth(drive)) > 70
        stands(bench, drive)
        with pytest.raises(NotStopped, match="cannot be armed: shoulder_lift"):
            drive.driver.arm()
        stood = bench.virtual.position()
        bench.virtual.clear_faults()
        drive.go(0.5, bench.motion)
        assert drive.applied is None, "it went on by itself once it had cooled down"
        assert np.abs(bench.virtual.position() - stood).max() < bench.tolerance, "it jumped when it could again"
        drive.driver.arm()
        drive.go(0.5, bench.motion)
        assert drive.applied is not None


def test_a_supply_that_sags_is_a_fault() -> None:
    with moving() as (bench, drive):
        bench.virtual.inject("low voltage")
        until(drive, bench, "fault")
        assert drive.status is not None
        assert "check the power supply" in drive.status.reason
        volts = [status.voltage for status in statuses(drive) if status.voltage is not None]
        assert volts[-1] == pytest.approx(3.5, abs=0.3)
        stands(bench, drive)


def test_an_arm_without_power_is_lost_in_time_and_does_not_go_on_when_it_is_back() -> None:
    with moving() as (bench, drive):
        bench.virtual.inject("power loss")
        began = drive.now
        with pytest.raises(DeviceLost, match="no valid answer from shoulder_pan, shoulder_lift"):
            drive.go(3.0, bench.motion)
        assert (drive.now - began) / 1e9 < drive.driver.lost_within + 1.0
        stood = bench.virtual.position()
        drive.close()
        bench.virtual.clear_faults()
        with bench.ready() as again:
            again.go(0.4)
            assert np.abs(bench.virtual.position() - stood).max() < bench.tolerance


def test_a_port_that_is_gone_is_noticed_at_once() -> None:
    with moving() as (bench, drive):
        bench.virtual.unplug()
        with pytest.raises(DeviceLost, match=r"is gone: .*is its adapter plugged in"):
            drive.go(3.0, bench.motion)


def test_a_process_that_slept_does_not_take_one_missed_answer_for_a_lost_arm() -> None:
    with moving() as (bench, drive):
        stepper = Stepper(drive.driver)
        now = Time(drive.now + SECOND)
        bench.virtual.freeze()
        assert "state" not in stepper.step(now, None)
        bench.virtual.thaw()
        given = [stepper.step(Time(now + n * SECOND), None) for n in range(1, 3)]
        assert any("state" in each for each in given)


def test_one_servo_that_is_silent_is_named() -> None:
    with moving() as (bench, drive):
        say(bench, codec.write(3, control_table.ID.address, bytes((33,))))
        with pytest.raises(DeviceLost, match="no valid answer from elbow_flex for"):
            drive.go(3.0, bench.motion)


def test_a_servo_in_another_mode_is_not_armed() -> None:
    bench = KinematicBench()
    with bench.served():
        say(bench, codec.write(4, control_table.MODE.address, bytes((1,))))
        with pytest.raises(WrongDevice, match="the servo of wrist_flex is in mode 1"), bench.ready():
            pass


def test_an_arm_outside_its_servos_limits_is_not_switched_on() -> None:
    bench = KinematicBench()
    with bench.served():
        say(bench, codec.write(6, control_table.MAX_POSITION.address, control_table.MAX_POSITION.pack(2100)))
        with pytest.raises(NotStopped, match=r"gripper is at tick .* outside its servo's own limits"), bench.ready():
            pass
        assert not switched_on(bench)


def test_a_port_has_one_program() -> None:
    bench = KinematicBench()
    with bench.served(), bench.ready(), pytest.raises(DeviceInUse, match="is in use by another driver of this run"):
        Motors(bench.virtual.address, control_table.BAUDS[0])


def test_a_port_where_nobody_answers_says_who_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.so101.driver.BOOT", 0.1)
    bench = KinematicBench()
    with bench.served():
        bench.virtual.freeze()
        with pytest.raises(DeviceLost, match=r"no answer from shoulder_pan, .* gripper at .*: is its power on"):
            bench.so101().open()
        with pytest.raises(NoDevice, match="driver scan so101"):
            SO101(ROBOT, port="/dev/there-is-none").open()


def test_a_scan_finds_the_arm_at_a_port_and_none_where_there_is_none(tmp_path: Path) -> None:
    bench = KinematicBench()
    with bench.served():
        found = list(scan([bench.virtual.address, "127.0.0.1"]))
        assert [(each.address, each.what) for each in found] == [(bench.virtual.address, "SO-101")]
        bench.virtual.freeze()
        assert not list(scan([bench.virtual.address]))
    assert not list(scan([str(tmp_path / "none")]))


def test_a_scan_finds_the_virtual_arm_that_is_served_where_its_launch_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    link = str(tmp_path / "embodied-so101")
    with Serving(VirtualSO101(ROBOT, link=link), KinematicWorld(ROBOT)):
        assert link in [each.address for each in scan([])]
    assert link not in [each.address for each in scan([])]


def test_settings_that_no_arm_has_are_told_before_a_port_is_opened() -> None:
    assert not list(SO101(ROBOT, port="/dev/x").check())
    wrong = SO101(ROBOT, calibration={"elbow": JointCalibration()}, baud=9600, torque=0.0, grip=2.0, voltage=(9.0, 5.0))
    problems = "\n".join(wrong.check())
    for problem in (
        "port is empty",
        "calibration must be of shoulder_pan, shoulder_lift, elbow_flex, wrist_flex, wrist_roll, gripper, got 'elbow'",
        "baud must be one of",
        "torque must be in (0, 1], got 0.0",
        "grip must be in (0, 1], got 2.0",
        "voltage must have its lower limit first, got [9.0, 5.0]",
    ):
        assert problem in problems


def test_without_the_vendors_sdk_the_driver_says_how_to_get_it() -> None:
    code = """
        import sys
        sys.modules["scservo_sdk"] = None
        from drivers.so101 import DEVICE, SO101
        from embodied.errors import MissingExtra
        from tests.embodied.robots import robot
        ROBOT = robot("so101")
        assert "serial" not in sys.modules
        for act in (SO101(ROBOT, port="/dev/x").open, lambda: list(SO101(ROBOT, port="/dev/x").check())):
            try:
                act()
            except MissingExtra as error:
                assert "embodied-robotics[so101]" in str(error), error
            else:
                raise AssertionError(act)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=Path(__file__).parents[3])
