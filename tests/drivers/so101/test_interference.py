"""What others do to an SO-101 behind its driver's back, and what cannot be.

Law: whoever comes back is identified again. Mode, offset, torque and goal of every servo are read in each step; what is
not as it was armed ends all motion until a person arms the arm again. A joint that is measured beyond its stops is a
servo in another turn: its position is not published, and the arm is not armed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from drivers.so101 import codec, control_table
from drivers.so101.control_table import FULL_ANGLE, TICK, TICKS
from drivers.so101.servos import NAMES
from embodied.errors import NotStopped, WrongDevice
from embodied.messages import JointCommand
from embodied.testing.serving import Drive, pause
from tests.drivers.so101.bench import CALIBRATION, KinematicBench


@contextmanager
def moving(bench: KinematicBench) -> Iterator[Drive]:
    with bench.served(), bench.ready() as drive:
        drive.go(0.3, bench.motion)
        yield drive


def reason(drive: Drive, state: str = "fault") -> str:
    assert drive.status is not None
    assert drive.status.state == state, drive.status
    return drive.status.reason


def get(bench: KinematicBench, servo: int, register: control_table.Register) -> int:
    return bench.arm._servos[servo].get(register)


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_a_servo_that_another_program_sets_to_another_mode_is_switched_off_and_not_armed(mode: int) -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.tell(5, control_table.MODE, mode)
        drive.go(0.05, bench.motion)
        assert f"the servo of wrist_roll is in mode {mode}" in reason(drive)
        drive.go(0.3, bench.motion)
        stood = bench.arm.position()
        drive.go(0.4, bench.motion)
        assert drive.applied is None
        assert get(bench, 5, control_table.TORQUE) == 0
        assert get(bench, 4, control_table.TORQUE) == 1, "the others hold"
        assert np.abs(bench.arm.position() - stood).max() < bench.tolerance
        with pytest.raises(NotStopped, match=f"wrist_roll is in mode {mode}"):
            drive.driver.arm()
        bench.tell(5, control_table.MODE, 0)
        drive.driver.arm()
        drive.go(0.2, bench.motion)
        assert drive.applied is not None


def test_a_halt_stops_a_servo_that_turns_like_a_wheel() -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.arm.receive(codec.write(5, control_table.MODE.address, b"\1"))
        drive.driver.halt()
        assert bench.arm.stopped()


def test_positions_counted_with_another_offset_are_not_published() -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.tell(1, control_table.OFFSET, 50)
        drive.outputs.clear()
        drive.go(0.2, bench.motion)
        assert "the offset of the servo of shoulder_pan was 0 ticks, and is 50" in reason(drive)
        assert not any("state" in outputs for outputs in drive.outputs)
        with pytest.raises(NotStopped, match="its calibration no longer holds"):
            drive.driver.arm()


def test_an_offset_that_another_program_has_changed_since_the_calibration_is_noticed() -> None:
    homed = {name: replace(each, homing=0) for name, each in CALIBRATION.items()}
    bench = KinematicBench(calibration=homed)
    with bench.served():
        with bench.ready():
            pass
        bench.tell(3, control_table.OFFSET, -7)
        with (
            pytest.raises(WrongDevice, match=r"elbow_flex has the offset -7, and had 0 when it was calib"),
            bench.ready(),
        ):
            pass


@pytest.mark.parametrize("beyond", [TICKS, -TICKS, 1500])
def test_a_joint_that_is_measured_beyond_its_stops_is_not_armed(beyond: int) -> None:
    bench = KinematicBench()
    with bench.served():
        bench.tell(1, control_table.PHASE, 12 | FULL_ANGLE)
        bench.arm.slip("shoulder_pan", beyond)
        with pytest.raises(WrongDevice, match=r"shoulder_pan must be in \[-2\.\d+, 2\.\d+\] rad, got"), bench.ready():
            pass
        assert not get(bench, 1, control_table.TORQUE)


def test_a_servo_that_counts_another_turn_while_it_moves_is_a_fault_and_its_position_is_not_published() -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.tell(4, control_table.PHASE, 12 | FULL_ANGLE)
        drive.go(0.1, bench.motion)
        assert not reason(drive, "moving"), "it counts as before in its first turn"
        bench.arm.slip("wrist_flex", TICKS)
        drive.outputs.clear()
        drive.go(0.3, bench.motion)
        assert "wrist_flex must be in" in reason(drive)
        assert "calibrate the arm again" in reason(drive)
        assert not any("state" in outputs or "applied" in outputs for outputs in drive.outputs)
        # It would go for the nearest of its own limits: it is switched off, and the others hold.
        assert [get(bench, servo, control_table.TORQUE) for servo in (3, 4, 5)] == [1, 0, 1]


def test_a_joint_a_little_beyond_its_stop_is_where_it_is() -> None:
    bench = KinematicBench()
    with bench.served():
        bench.tell(1, control_table.MIN_POSITION, 0)
        bench.tell(1, control_table.MAX_POSITION, TICKS - 1)
        bench.arm.slip("shoulder_pan", round((1.92 + 0.0677 + 0.05) / TICK))
        with bench.ready() as drive:
            drive.go(0.2)
            assert not reason(drive, "ready")


def test_an_overload_is_over_once_the_arm_is_armed_again_without_the_load() -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.tell(3, control_table.PROTECTION_TIME, 10)
        bench.arm.inject("overload")
        drive.go(0.6, bench.motion)
        assert "elbow_flex: it is overloaded" in reason(drive)
        bench.arm.clear_faults()
        drive.go(0.2, bench.motion)
        assert "overloaded" in reason(drive), "it went on by itself"
        drive.driver.arm()
        drive.go(0.2, bench.motion)
        assert not reason(drive, "moving")
        assert drive.applied is not None


def test_a_goal_is_never_far_from_where_its_joint_is_held() -> None:
    bench = KinematicBench()
    with moving(bench) as drive:
        bench.arm.inject("overload")
        at = bench.arm.position()
        goal = at.copy()
        goal[2] -= 1.2
        drive.go(1.0, lambda _: JointCommand(position=goal))
        applied = drive.applied
        assert isinstance(applied, JointCommand)
        assert applied.position is not None
        assert 0.3 < abs(applied.position[2] - at[2]) < 0.45
        assert NAMES[2] == "elbow_flex"


def test_another_arm_at_the_port_is_not_armed_in_its_place() -> None:
    bench = KinematicBench()
    with bench.served():
        with bench.ready(serial="VIRTUAL-SO101"):
            pass
        bench.arm.replace("ANOTHER")
        pause(0.1)
        with pytest.raises(WrongDevice, match="serial number is ANOTHER"), bench.ready(serial="VIRTUAL-SO101"):
            pass
