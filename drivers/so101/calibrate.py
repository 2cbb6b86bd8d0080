"""An arm is measured: its motors are off, a person holds it, and takes each joint to both of its stops.

Nothing moves by itself at any time. All servos are read throughout, so that a joint may go where it likes while another
is measured, and it is still known how it came there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from drivers.so101 import eeprom, jaw, pose_words, sdk
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from drivers.so101.homing import Measured, NotMeasured, Stated, direction, followed, measure, setting
from drivers.so101.identity import others
from drivers.so101.servos import GRIPPER, JOINTS, NAMES, Servos
from embodied.devices.registry import Calibrated, Person
from embodied.errors import DeviceLost, NotCalibrated
from embodied.robot import Robot

if TYPE_CHECKING:
    from drivers.so101.driver import SO101
    from drivers.so101.motors import Motors

PERIOD = 0.02
"""The servos are read this often [s]."""

OFF = "its motors are off: hold it, or lay it down"

NEAR, LOOKS = 114, 50
"""Once its offset is written a servo has to be where that puts it, within 10° of an arm that is held [ticks]; it is
looked at so often until it is."""


def calibrate(driver: SO101, person: Person, keep: Callable[[Calibrated], None]) -> None:
    """Measure an arm.

    Args:
        driver: of it, closed.
        person: who holds it.
        keep: is handed what was found, once the servos have their new offsets; raises that, they have the old ones.

    Raises:
        DeviceLost: the arm does not answer.
        NotCalibrated: it is no SO-101, or its servos do not keep what is written.
        MissingExtra: the SDK is not installed.
    """
    sdk.bus()
    from drivers.so101.motors import Motors

    motors = Motors(driver.port, driver.baud)
    left = "nothing was changed"
    try:
        if missing := motors.missing():
            raise DeviceLost(f"at {driver.port} there is no answer from {', '.join(missing)}: is its power on?")
        if unfit := others(motors):
            raise NotCalibrated("; ".join(unfit))
        procedure = Procedure(motors, driver.robot, person)
        person.ask("Hold the arm: its motors are switched off now, and it falls.")
        left = "its motors may be off"
        motors.let_go()
        left = f"its servos keep what they kept before; {OFF}"
        measured = procedure.measured()
        procedure.shown(measured)
        left = OFF
        with eeprom.changed(motors, procedure.before, eeprom.wanted(measured), person.tell):
            procedure.written(measured)
            by_name = dict(zip(NAMES, measured, strict=True))
            keep(Calibrated(calibration=setting(by_name), limits=narrower(driver.robot, by_name)))
    finally:
        motors.close()
        person.tell(left)


class Procedure:
    """One arm, and one person.

    Args:
        motors: of the arm.
        robot: what it is.
        person: who holds it.

    Attributes:
        before: what its servos keep.

    Raises:
        NotCalibrated: its description does not say how far its joints go.
    """

    def __init__(self, motors: Motors, robot: Robot, person: Person) -> None:
        self.before = eeprom.read(motors)
        self._motors = motors
        self._robot = robot
        self._person = person
        self._read: list[list[int]] = []
        try:
            stops = {**robot.stops, GRIPPER: (jaw.CLOSED, jaw.OPEN)}
        except ValueError as error:
            raise NotCalibrated(str(error)) from error
        self._stops = stops
        self._pose = pose_words.stated(robot)

    def measured(self) -> list[Measured]:
        """Each joint, and the gripper, one after the other.

        Raises:
            DeviceLost: a servo does not answer.
        """
        self._person.tell("Put the arm into this pose, exactly: what is off here is off ever after.")
        self._person.tell("\n".join(pose_words.pose(self._robot)))
        self._until("Is it in the pose?", lambda: "waiting until it is in the pose")
        # A joint is in the pose from here on; another time, if it is measured again.
        begin = len(self._read) - 1
        return [self._measured(number, begin) for number in range(len(NAMES))]

    def shown(self, measured: Sequence[Measured]) -> None:
        """Show where the arm is by what was found, until the person says that this is so.

        Raises:
            DeviceLost: a servo does not answer.
        """
        scale = Servos({name: joint.calibration for name, joint in zip(NAMES, measured, strict=True)})

        def angles() -> str:
            found = np.degrees(scale.angles(np.array(self._due(measured), dtype=np.float64)))
            return "now at " + "  ".join(f"{angle:+.0f}°" for angle in found)

        order = ", ".join(NAMES)
        self._until(f"Move the arm about: is it where the line says ({order})? Then it is written.", angles)

    def written(self, measured: Sequence[Measured]) -> None:
        """Look whether the servos count as their new offsets have it.

        Raises:
            DeviceLost: one does not answer.
            NotCalibrated: one counts otherwise.
        """
        due = self._due(measured)
        far: list[str] = []
        for _ in range(LOOKS):
            now = [reading.counts[0] for reading in self._motors.present()]
            far = [
                f"{name} is at tick {is_} and not at {ought}"
                for name, is_, ought in zip(NAMES, now, due, strict=True)
                if abs((is_ - ought + MIDDLE) % TICKS - MIDDLE) > NEAR
            ]
            if not far:
                return
            self._person.waits("writing", PERIOD)
        raise NotCalibrated(f"{'; '.join(far)}: was it moved meanwhile, or does its firmware count offsets otherwise?")

    def _measured(self, number: int, begin: int) -> Measured:
        name = NAMES[number]
        while True:
            try:
                self._taken(number, begin, upper=False)
                turned = len(self._read) - 1
                self._taken(number, begin, upper=True)
                said = self._said(number, begin)
                stated = Stated(self._pose[name], *self._stops[name], direction(name, self._said(number, turned)))
                found = measure(name, said[0], said[1:], stated, self.before[number][0])
            except NotMeasured as error:
                self._person.tell("\n".join([f"{error}", *(f"   = help: {line}" for line in error.help)]))
                told = f"{name} once more: put it at {math.degrees(self._pose[name]):+.1f}°, as in the pose."
                self._until(told, lambda: f"waiting until {name} is in the pose")
                begin = len(self._read) - 1
            else:
                held = found.calibration
                ends = f"{math.degrees(held.lower):+.1f}° to {math.degrees(held.upper):+.1f}°"
                self._person.tell(f"{name} goes from {ends}")
                return found

    def _taken(self, number: int, begin: int, *, upper: bool) -> None:
        """A joint is taken to one of its stops."""
        name, which = NAMES[number], "upper" if upper else "lower"
        path = followed(name, self._said(number, begin))
        least, most, wide = min(path), max(path), math.degrees(self._stops[name][1] - self._stops[name][0])
        at = path[-1]

        def line() -> str:
            nonlocal at, least, most
            at += followed(name, self._said(number, len(self._read) - 2))[-1] - self._read[-2][number]
            least, most = min(least, at), max(most, at)
            here, through = abs(at - path[0]) * math.degrees(TICK), (most - least) * math.degrees(TICK)
            return f"{name} to its {which} stop: {here:.0f}° from the pose, {through:.0f}° of {wide:.0f}° so far"

        way = pose_words.way(self._robot, name, upper)
        self._until(f"Take {name} slowly to its {which} stop: near the pose, {way}.", line)

    def _until(self, what: str, line: Callable[[], str]) -> None:
        """Read on, until the person has done something."""
        self._person.tell(f"{what} [Enter]")
        done = False
        while not done:
            self._look()
            done = self._person.waits(line(), PERIOD)
        self._look()

    def _look(self) -> None:
        self._read.append([reading.counts[0] for reading in self._motors.present()])

    def _said(self, number: int, begin: int) -> list[int]:
        return [ticks[number] for ticks in self._read[begin:]]

    def _due(self, measured: Sequence[Measured]) -> list[int]:
        """What the servos say with their new offsets, where they were when they were last read."""
        return [
            (tick - joint.offset + kept[0]) % TICKS
            for tick, joint, kept in zip(self._read[-1], measured, self.before, strict=True)
        ]


def narrower(robot: Robot, measured: dict[str, Measured]) -> dict[str, dict[str, float]]:
    """Limits of the joints that stop before the launch file's, which would not be armed [rad]."""
    found: dict[str, dict[str, float]] = {}
    for name in JOINTS:
        joint, held = robot.joints[name], measured[name].calibration
        if held.lower > joint.lower:
            found.setdefault(name, {})["lower"] = min(math.ceil(1e4 * held.lower) / 1e4, joint.home)
        if held.upper < joint.upper:
            found.setdefault(name, {})["upper"] = max(math.floor(1e4 * held.upper) / 1e4, joint.home)
    return found
