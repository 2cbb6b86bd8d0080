"""SO-100 and SO-101 through the vendor's SDK: six servos on one bus, read and sent their goals 100 times a second."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from drivers.so101 import control_table, faults, jaw, sdk
from drivers.so101.calibration import JointCalibration
from drivers.so101.command_check import refusal
from drivers.so101.control_table import TICK
from drivers.so101.identity import introduced
from drivers.so101.servos import IDS, JOINTS, NAMES, Servos
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NotStopped
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState
from embodied.node.identity import Identity
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.robot import Robot

if TYPE_CHECKING:
    from drivers.so101.bus import Reading
    from drivers.so101.motors import Motors

LOOKS = 0.12
"""Two looks without an answer, and what lies between them, take this long [s]: so much before `lost_within` is over it
has to be decided that the arm is lost, to be in time."""

MISSED = 3
"""A process that slept, and then has missed fewer answers than this, does not yet know that the arm is silent."""

BOOT, AGAIN = 5.0, 0.1
"""An arm that has just been plugged in or switched on is waited for, and asked again after this long [s]."""

SPEEDS = tuple(baud for baud in control_table.BAUDS if baud != 76_800)
"""Of the bus [bit/s]; the servos have one more, which the SDK has not."""

AHEAD = 0.1
"""Goals never run further ahead of the last ones than the joints may go in this time [s]."""

MOVING = 0.03
"""A joint that is faster than this moves [rad/s]."""


class SO101Output(NamedTuple):
    """What the arm measures, and what it was really told to do."""

    state: JointState | None
    gripper: GripperState | None
    applied: JointCommand | None
    status: DeviceStatus


@dataclass
class SO101(Driver):
    """An SO-100 or SO-101 with its gripper, position controlled; without a command it holds its last goal.

    In silence the servos go on to their last goal and stay there; since goals never run far ahead, they stand within
    `stops_within`. Commands that are not finite, of another number of joints or outside the robot's limits are refused
    whole. Efforts and the gripper's force are what the motors' duty would be at stall: an estimate, no measurement.

    Attributes:
        robot: whose limits and joints.
        port: of its adapter, `/dev/serial/by-id/…`.
        serial: of the adapter that is meant; empty takes any.
        calibration: of each joint and of `gripper`; only a virtual arm is armed without.
        baud: speed of its bus [bit/s].
        torque: share of their torque at stall that the joints may use.
        grip: share that the gripper may use.
        hottest: a motor that is warmer ends all motion [degC]; its own protection lets go at 70.
        voltage: of the supply, least and most [V].
        release: whether the motors are off once it is closed; an arm that is let go falls.
    """

    robot: Robot
    port: str = ""
    serial: str = ""
    calibration: dict[str, JointCalibration] = field(default_factory=dict)
    baud: int = control_table.BAUDS[0]
    torque: float = 1.0
    grip: float = 0.5
    hottest: float = 60.0
    voltage: tuple[float, float] = (4.5, 13.5)
    release: bool = False

    rate = 100.0
    stops_within = 0.5
    lost_within = 0.5

    def ports(self) -> Ports:
        """As many joints as the robot has; commands are positions; the status is of all six motors."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, sizes=sizes)
        ports = ports.refine("status", sizes={"n": len(IDS)})
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def check(self) -> Iterable[str]:
        """The SDK is there, the port is named, and the settings are such as an SO-101 can have."""
        if not self.port:
            yield "port is empty: `embodied driver scan so101` lists the ports at which an arm answers"
        if set(self.robot.joints) != set(JOINTS):
            yield f"'{self.robot.name}' has the joints {list(self.robot.joints)}, and an SO-101 {list(JOINTS)}"
        for name in self.calibration:
            if name not in NAMES:
                yield f"calibration is of '{name}', and there are {', '.join(NAMES)}"
        if self.baud not in SPEEDS:
            yield f"baud is {self.baud}, and there are {', '.join(map(str, SPEEDS))}"
        for name, share in (("torque", self.torque), ("grip", self.grip)):
            if not 0 < share <= 1:
                yield f"{name} is {share}, and it is a share above 0 and up to 1"
        if not self.voltage[0] < self.voltage[1]:
            yield f"voltage is {list(self.voltage)}, and the least comes first"
        sdk.bus()

    def open(self) -> None:
        """Open the port and find six servos; nothing moves, and no motor is switched on.

        Raises:
            DeviceLost: the port cannot be opened, or not all six answer.
            NoDevice: there is no such port.
            MissingExtra: the SDK is not installed.
        """
        sdk.bus()
        from drivers.so101.motors import Motors

        self._scale = Servos(self.calibration)
        self._speed = self.robot.limit("velocity")
        self._armed, self._fault, self._reason = False, False, "not armed yet"
        self._told: Time | None = None
        self._heard: Time | None = None
        self._missed = 0
        self._motors: Motors | None = None
        pause, until = threading.Event(), time.monotonic() + BOOT
        while not Path(self.port).exists() and time.monotonic() < until:
            pause.wait(AGAIN)
        self._motors = Motors(self.port, self.baud)
        try:
            while missing := self._motors.missing():
                if time.monotonic() > until:
                    raise DeviceLost(f"at {self.port} there is no answer from {', '.join(missing)}: is its power on?")
                pause.wait(AGAIN)
        except DeviceLost:
            self.close()
            raise

    def identify(self) -> Identity:
        """Models, firmware, modes and limits of the servos, and the serial number of their adapter.

        Raises:
            DeviceLost: a servo does not answer.
        """
        return introduced(self._open(), self._scale, set(self.calibration), self.port)

    def arm(self) -> None:
        """Switch the motors on, each with the place where it is as its goal, so that nothing jumps.

        Raises:
            DeviceLost: it does not answer.
            NotStopped: it answers, and cannot be armed; the sentence says why.
        """
        self._armed = False
        motors = self._open()
        present = motors.present()
        if wrong := faults.wrong(present, self.hottest, self.voltage):
            raise NotStopped(f"the SO-101 at {self.port} cannot be armed: {wrong}")
        fastest = np.append(np.minimum(self._speed, control_table.NO_LOAD), control_table.NO_LOAD)
        speeds = [int(speed) for speed in np.ceil(fastest / TICK)]
        shares = [round(1000 * share) for share in (*[self.torque] * len(JOINTS), self.grip)]
        motors.switch_on(present, speeds, shares)
        self._told = self._heard = None
        self._armed, self._fault, self._reason = True, False, ""

    def step(self, command: JointCommand | None, now: Time) -> SO101Output:
        """Read all six servos, then send them their goals.

        Raises:
            DeviceLost: the port is gone, or a servo gave nothing whole for `lost_within`.
        """
        motors = self._open()
        if self._heard is None:
            self._heard = now
        readings = motors.look()
        self._missed = 0 if readings is not None else self._missed + 1
        if readings is not None:
            self._heard = now
            if self._armed and (wrong := faults.wrong(readings, self.hottest, self.voltage)):
                motors.send(_ticks(readings))
                self._armed, self._fault, self._reason = False, True, wrong
        elif self._missed >= MISSED and now - self._heard >= (self.lost_within - LOOKS) * SECOND:
            told = f"nothing whole from {motors.silent} for {(now - self._heard) / SECOND:.2f} s"
            raise DeviceLost(f"the SO-101 at {self.port}: {told}")
        applied = self._follow(motors, command, now) if self._armed and command is not None else None
        if readings is None:
            return SO101Output(None, None, applied, self._status(motors, []))
        state, gripper = self._measured(readings, now)
        return SO101Output(state, gripper, applied, self._status(motors, readings))

    def halt(self) -> None:
        """Hold where it is, and read back that it stands there.

        Raises:
            NotStopped: it does not say so; the sentence says which joint.
        """
        self._armed, self._reason = False, self._reason if self._fault else "told to halt"
        try:
            self._open().halt()
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """Hold where it is, or let go, as far as it can still be told; and close the port."""
        motors, self._motors = getattr(self, "_motors", None), None
        if motors is None:
            return
        with contextlib.suppress(DeviceLost):
            if self._armed and (readings := motors.look()) is not None:
                motors.send(_ticks(readings))
            if self.release:
                motors.switch_off()
        motors.close()

    def _follow(self, motors: Motors, command: JointCommand, now: Time) -> JointCommand | None:
        """What was sent of a command; None if it was refused."""
        self._reason = refusal(command, self.robot)
        if self._reason:
            return None
        elapsed = AHEAD if self._told is None else min((now - self._told) / SECOND, AHEAD)
        before = self._scale.angles(np.array(motors.goals))[:-1]
        asked = before if command.position is None else command.position
        # And a tick, else what is lost to rounding adds up at full speed.
        reach = self._speed * elapsed + TICK
        position = before + np.clip(asked - before, -reach, reach)
        goals = _rounded(self._scale.ticks(position, command.gripper or 0.0))
        if command.gripper is None:
            goals[-1] = motors.goals[-1]
        motors.send(goals)
        self._told = now
        sent = self._scale.angles(np.array(goals))
        return JointCommand(position=sent[:-1], gripper=jaw.opening(sent[-1]))

    def _measured(self, readings: Sequence[Reading], now: Time) -> tuple[JointState, GripperState]:
        ticks, speeds, duties = np.array([reading.counts[:3] for reading in readings], dtype=np.float64).T
        angles, rates = self._scale.angles(ticks), self._scale.turned(speeds) * TICK
        efforts = self._scale.turned(duties) * control_table.LOAD.scale * control_table.STALL
        wide, slope = jaw.opening(angles[-1]), jaw.slope(angles[-1])
        joints = JointState(position=angles[:-1], velocity=rates[:-1], effort=efforts[:-1], acquired=now)
        # Closing is positive in the gripper's force, and negative in its angle.
        grip = GripperState(width=wide, speed=rates[-1] * slope, force=-efforts[-1] / slope, acquired=now)
        return joints, grip

    def _status(self, motors: Motors, readings: Sequence[Reading]) -> DeviceStatus:
        moving = any(abs(reading.counts[1]) * TICK > MOVING for reading in readings)
        state = ("moving" if moving else "ready") if self._armed else "fault" if self._fault else "stopped"
        return DeviceStatus(
            state=state,
            reason=self._reason,
            rejected=motors.rejected,
            temperature=np.array([reading.counts[4] for reading in readings], dtype=np.float64) if readings else None,
            voltage=min(reading.counts[3] for reading in readings) * control_table.VOLTAGE.scale if readings else None,
        )

    def _open(self) -> Motors:
        if self._motors is None:
            raise DeviceLost(f"the port {self.port} is closed")
        return self._motors


def _ticks(readings: Sequence[Reading]) -> list[int]:
    return [reading.counts[0] for reading in readings]


def _rounded(ticks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    return [int(tick) for tick in np.rint(ticks)]
