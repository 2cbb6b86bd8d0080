"""Calibration of an SO-101 with a person, who moves each joint to both of its stops with the motors off.

Nothing moves by itself at any time. All servos are read throughout, so that the way of a joint is known even if it
moves while another one is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from drivers.so101 import eeprom, jaw, pose_description, sdk
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from drivers.so101.homing import ExpectedJoint, Measured, NotMeasured, direction, measure, setting, unwrap
from drivers.so101.identity import unsuitable_servos
from drivers.so101.servos import GRIPPER, JOINTS, NAMES, ServoScale
from embodied.devices.registry import Calibrated, Person
from embodied.errors import DeviceLost, NotCalibrated
from embodied.robot import Robot

if TYPE_CHECKING:
    from drivers.so101.driver import SO101
    from drivers.so101.motors import Motors

PERIOD = 0.02
"""Period at which the servos are read [s]."""

OFF = "its motors are off: hold it, or lay it down"
"""Text for the person once the motors are off."""

OFFSET_TOLERANCE = 114
"""Distance of a servo from where its new offset puts it, 10° for an arm that is held by hand [ticks]."""

OFFSET_TRIES = 50
"""Number of readings that are compared with the new offsets."""


def calibrate(driver: SO101, person: Person, keep: Callable[[Calibrated], None]) -> None:
    """Calibrate an SO-101 with a person, and write the new offsets and limits into its servos.

    Args:
        driver: driver of the arm, closed.
        person: person who holds the arm.
        keep: function that stores the result, once the servos have their new offsets; if it raises, they are restored.

    Raises:
        DeviceLost: the arm does not answer.
        NotCalibrated: it is no SO-101, or its servos do not keep what was written.
        MissingExtra: the SDK is not installed.
    """
    sdk.bus()
    from drivers.so101.motors import Motors

    motors = Motors(driver.port, driver.baud)
    outcome = "nothing was changed"
    try:
        if missing := motors.missing():
            raise DeviceLost(f"no answer from {', '.join(missing)} at {driver.port}: is its power on?")
        if problems := unsuitable_servos(motors):
            raise NotCalibrated("; ".join(problems))
        procedure = Procedure(motors, driver.robot, person)
        person.ask("Hold the arm: its motors are switched off now, and it falls.")
        outcome = "its motors may be off"
        motors.switch_off_verified()
        outcome = f"its servos keep their old offsets and limits; {OFF}"
        measured = procedure.measure()
        procedure.confirm(measured)
        outcome = OFF
        with eeprom.changed(motors, procedure.before, eeprom.calibrated(measured), person.tell):
            procedure.verify(measured)
            by_name = dict(zip(NAMES, measured, strict=True))
            keep(Calibrated(calibration=setting(by_name), limits=narrower(driver.robot, by_name)))
    finally:
        motors.close()
        person.tell(outcome)


class Procedure:
    """Procedure of one calibration of an SO-101 with a person, step by step.

    Args:
        motors: motors of the arm.
        robot: description of the arm.
        person: person who holds the arm.

    Attributes:
        before: offsets and limits that its servos have.

    Raises:
        NotCalibrated: the description has no stops of the joints.
    """

    def __init__(self, motors: Motors, robot: Robot, person: Person) -> None:
        self.before = eeprom.read(motors)
        self._motors = motors
        self._robot = robot
        self._person = person
        self._readings: list[list[int]] = []
        try:
            stops = {**robot.stops, GRIPPER: (jaw.CLOSED, jaw.OPEN)}
        except ValueError as error:
            raise NotCalibrated(str(error)) from error
        self._stops = stops
        self._pose = pose_description.stated_pose(robot)

    def measure(self) -> list[Measured]:
        """Measure each joint, and the gripper, one after the other.

        Raises:
            DeviceLost: a servo does not answer.
        """
        self._person.tell("Put the arm into this pose, exactly: an error here stays in the calibration.")
        self._person.tell("\n".join(pose_description.pose_lines(self._robot)))
        self._until("Is it in the pose?", lambda: "waiting until it is in the pose")
        # Reading in which all joints are in the pose; a joint that is measured again has a later one.
        begin = len(self._readings) - 1
        return [self._measure_joint(number, begin) for number in range(len(NAMES))]

    def confirm(self, measured: Sequence[Measured]) -> None:
        """Show the angles of the arm by the new calibration, until the person confirms them.

        Raises:
            DeviceLost: a servo does not answer.
        """
        scale = ServoScale({name: joint.calibration for name, joint in zip(NAMES, measured, strict=True)})

        def angles() -> str:
            degrees = np.degrees(scale.angles(np.array(self._expected_ticks(measured), dtype=np.float64)))
            return "now at " + "  ".join(f"{angle:+.0f}°" for angle in degrees)

        order = ", ".join(NAMES)
        self._until(f"Move the arm about: is it where the line says ({order})? Then it is written.", angles)

    def verify(self, measured: Sequence[Measured]) -> None:
        """Check that the servos count with their new offsets.

        Raises:
            DeviceLost: a servo does not answer.
            NotCalibrated: a servo counts otherwise.
        """
        expected = self._expected_ticks(measured)
        off: list[str] = []
        for _ in range(OFFSET_TRIES):
            now = [state.position for state in self._motors.present()]
            off = [
                f"{name} is at tick {actual} and not at {wanted}"
                for name, actual, wanted in zip(NAMES, now, expected, strict=True)
                if abs((actual - wanted + MIDDLE) % TICKS - MIDDLE) > OFFSET_TOLERANCE
            ]
            if not off:
                return
            self._person.waits("writing", PERIOD)
        raise NotCalibrated(f"{'; '.join(off)}: was it moved, or does its firmware count offsets differently?")

    def _measure_joint(self, number: int, begin: int) -> Measured:
        name = NAMES[number]
        while True:
            try:
                self._move_to_stop(number, begin, upper=False)
                turned = len(self._readings) - 1
                self._move_to_stop(number, begin, upper=True)
                home, *ticks = self._ticks(number, begin)
                sign = direction(name, self._ticks(number, turned))
                expected = ExpectedJoint(self._pose[name], *self._stops[name], sign)
                joint = measure(name, home, ticks, expected, self.before[number][0])
            except NotMeasured as error:
                self._person.tell("\n".join([f"{error}", *(f"   = help: {line}" for line in error.help)]))
                text = f"{name} once more: put it at {math.degrees(self._pose[name]):+.1f}°, as in the pose."
                self._until(text, lambda: f"waiting until {name} is in the pose")
                begin = len(self._readings) - 1
            else:
                made = joint.calibration
                ends = f"{math.degrees(made.lower):+.1f}° to {math.degrees(made.upper):+.1f}°"
                self._person.tell(f"{name} goes from {ends}")
                return joint

    def _move_to_stop(self, number: int, begin: int, *, upper: bool) -> None:
        """Let the person move a joint to one of its stops."""
        name, which = NAMES[number], "upper" if upper else "lower"
        path = unwrap(name, self._ticks(number, begin))
        least, most, width = min(path), max(path), math.degrees(self._stops[name][1] - self._stops[name][0])
        at = path[-1]

        def line() -> str:
            nonlocal at, least, most
            at += unwrap(name, self._ticks(number, len(self._readings) - 2))[-1] - self._readings[-2][number]
            least, most = min(least, at), max(most, at)
            moved, covered = abs(at - path[0]) * math.degrees(TICK), (most - least) * math.degrees(TICK)
            return f"{name} to its {which} stop: {moved:.0f}° from the pose, {covered:.0f}° of {width:.0f}° so far"

        motion = pose_description.motion_text(self._robot, name, upper)
        self._until(f"Take {name} slowly to its {which} stop: near the pose, {motion}.", line)

    def _until(self, what: str, line: Callable[[], str]) -> None:
        """Show an instruction and a status line, and read the servos until the person confirms."""
        self._person.tell(f"{what} [Enter]")
        done = False
        while not done:
            self._read()
            done = self._person.waits(line(), PERIOD)
        self._read()

    def _read(self) -> None:
        self._readings.append([state.position for state in self._motors.present()])

    def _ticks(self, number: int, begin: int) -> list[int]:
        return [ticks[number] for ticks in self._readings[begin:]]

    def _expected_ticks(self, measured: Sequence[Measured]) -> list[int]:
        """Return what the servos should report with their new offsets at the positions that were read last."""
        return [
            (tick - joint.offset + kept[0]) % TICKS
            for tick, joint, kept in zip(self._readings[-1], measured, self.before, strict=True)
        ]


def narrower(robot: Robot, measured: dict[str, Measured]) -> dict[str, dict[str, float]]:
    """Return new limits of calibrated joints that stop before the launch file's limits and could not be armed [rad]."""
    limits: dict[str, dict[str, float]] = {}
    for name in JOINTS:
        joint, made = robot.joints[name], measured[name].calibration
        if made.lower > joint.lower:
            limits.setdefault(name, {})["lower"] = min(math.ceil(1e4 * made.lower) / 1e4, joint.home)
        if made.upper < joint.upper:
            limits.setdefault(name, {})["upper"] = max(math.floor(1e4 * made.upper) / 1e4, joint.home)
    return limits
