"""Driver of the SO-100 and SO-101 through the vendor's SDK: reads six servos and sends their goals at 100 Hz."""

from __future__ import annotations

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
from drivers.so101.identity import identify
from drivers.so101.servos import IDS, JOINTS, NAMES, ServoScale
from drivers.so101.supervision import JointRanges, changed_settings, interference
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost, NotCalibrated, NotStopped
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState
from embodied.node.identity import Identity
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.ranges import Range
from embodied.robot import Robot

if TYPE_CHECKING:
    from drivers.so101.motors import Motors
    from drivers.so101.servo_state import ServoState

DETECTION_TIME = 0.12
"""Worst-case time to detect a lost bus, two reads without an answer [s]; the timeout is `lost_within` minus this."""

MISSED = 3
"""Number of missed answers before an arm counts as lost: after a pause of the process, time alone proves nothing."""

BOOT = 5.0
"""Longest wait for an arm that has just been plugged in or switched on [s]."""

RETRY = 0.1
"""Pause between two attempts to find it [s]."""

SPEEDS = tuple(baud for baud in control_table.BAUDS if baud != 76_800)
"""Speeds of the bus that the SDK supports [bit/s]."""

AHEAD = 0.1
"""Time for which a joint moves at full speed to a new goal, at most [s]: goals further away are approached."""

LEAD = 0.4
"""Largest distance of a goal from where its joint was measured [rad]; at full speed a joint lags by less than half."""

AGAIN = "; then arm it again"
"""End of the reason for which an arm is no longer armed."""

MOVING = 0.03
"""Speed above which a joint is reported as moving [rad/s]."""


class SO101Output(NamedTuple):
    """Output of the driver `SO101`: measurements of arm and gripper, and the command that was really sent."""

    state: JointState | None
    gripper: GripperState | None
    applied: JointCommand | None
    status: DeviceStatus


@dataclass
class SO101(Driver):
    """Driver of an SO-100 or SO-101 with its gripper, position controlled; without a command it holds its last goal.

    Without requests the servos move to their last goal and hold it; since goals are never far ahead, they stand within
    `stops_within`. Commands that are not finite, of another number of joints or outside the robot's limits are refused
    whole. Efforts and the gripper's force are estimated from the motors' duty and their torque at stall.

    Attributes:
        robot: joints of the arm and their limits.
        port: path of the serial port of its adapter, `/dev/serial/by-id/…`.
        serial: serial number of the adapter that is wanted; empty accepts any.
        calibration: calibration of each joint and of `gripper`; only a virtual arm is armed without.
        baud: speed of its bus [bit/s].
        torque: torque limit of the joints, as a share of their torque at stall.
        grip: torque limit of the gripper, as a share of its torque at stall.
        hottest: motor temperature above which all motion ends [degC]; a servo's own protection switches off at 70.
        voltage: lower and upper limit of the supply voltage [V].
        release: whether the motors are switched off when the driver is closed; the arm then falls.
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
        """Declare as many joints as the robot has, commands that are positions, and a status of all six motors."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, sizes=sizes)
        ports = ports.refine("status", sizes={"n": len(IDS)})
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def check(self) -> Iterable[str]:
        """Check that the SDK is installed, the port is set, and every setting is one that an SO-101 can have."""
        if not self.port:
            yield "port is empty: `embodied driver scan so101` lists the ports at which an arm answers"
        if set(self.robot.joints) != set(JOINTS):
            yield f"joints of '{self.robot.name}' must be {list(JOINTS)}, got {list(self.robot.joints)}"
        for name in self.calibration:
            if name not in NAMES:
                yield f"calibration must be of {', '.join(NAMES)}, got '{name}'"
        if self.baud not in SPEEDS:
            yield f"baud must be one of {', '.join(map(str, SPEEDS))}, got {self.baud}"
        yield from Range(0, 1, includes="(]").problems(torque=self.torque, grip=self.grip)
        if not self.voltage[0] < self.voltage[1]:
            yield f"voltage must have its lower limit first, got {list(self.voltage)}"
        sdk.bus()

    def open(self) -> None:
        """Open the port and find six servos, without switching a motor on.

        Raises:
            DeviceLost: the port cannot be opened, or a servo does not answer.
            NoDevice: there is no such port.
            MissingExtra: the SDK is not installed.
        """
        sdk.bus()
        from drivers.so101.motors import Motors

        self._scale = ServoScale(self.calibration)
        self._ranges = JointRanges(self.robot, self.calibration)
        self._unknown_position = False
        self._speed = self.robot.limit("velocity")
        self._armed, self._fault, self._reason = False, False, "not armed yet"
        # Ordered to hold or to move, and nobody else has taken over since; lost, which was reported.
        self._ordered = self._lost = False
        self._last_sent: Time | None = None
        self._last_answer: Time | None = None
        self._missed = 0
        self._motors: Motors | None = None
        pause, deadline = threading.Event(), time.monotonic() + BOOT
        while not Path(self.port).exists() and time.monotonic() < deadline:
            pause.wait(RETRY)
        self._motors = Motors(self.port, self.baud)
        try:
            while missing := self._motors.missing():
                if time.monotonic() > deadline:
                    raise DeviceLost(f"no answer from {', '.join(missing)} at {self.port}: is its power on?")
                pause.wait(RETRY)
            self._offsets = [state.offset for state in self._motors.present()]
        except DeviceLost:
            self.close()
            raise

    def identify(self) -> Identity:
        """Return models, firmware, modes and limits of the servos, and the serial number of their adapter.

        Raises:
            DeviceLost: a servo does not answer.
        """
        return identify(self._open(), self._scale, self._ranges, self.calibration, self.port)

    def arm(self) -> None:
        """Switch the motors on, each with its present position as its goal, so that nothing jumps.

        Raises:
            DeviceLost: the arm does not answer.
            NotStopped: the arm cannot be armed; the message says why.
        """
        self._armed = False
        motors = self._open()
        present = motors.reset_overload(motors.present())
        if fault := self._problem(present):
            raise NotStopped(f"the SO-101 at {self.port} cannot be armed: {fault}")
        fastest = np.append(np.minimum(self._speed, control_table.NO_LOAD), control_table.NO_LOAD)
        speeds = [int(speed) for speed in np.ceil(fastest / TICK)]
        shares = [round(1000 * share) for share in (*[self.torque] * len(JOINTS), self.grip)]
        # An order may be carried out though its answer is lost.
        self._ordered, self._lost = True, False
        motors.switch_on(present, speeds, shares)
        self._position = self._scale.angles(np.array([state.position for state in present]))[:-1]
        self._last_sent = self._last_answer = None
        self._armed, self._fault, self._reason = True, False, ""

    def step(self, command: JointCommand | None, now: Time) -> SO101Output:
        """Read all six servos, then send them their goals.

        Raises:
            DeviceLost: the port is gone, or a servo gave no valid answer for `lost_within`.
        """
        try:
            return self._step(self._open(), command, now)
        except DeviceLost as error:
            # It may be another arm that answers again, or this one somewhere else.
            self._armed, self._fault, self._reason = False, True, f"{error}{AGAIN}"
            self._ordered, self._lost = False, True
            raise

    def _step(self, motors: Motors, command: JointCommand | None, now: Time) -> SO101Output:
        if self._last_answer is None:
            self._last_answer = now
        states = motors.read_all()
        self._missed = 0 if states is not None else self._missed + 1
        if states is not None:
            self._last_answer = now
            self._watch(motors, states)
        elif self._missed >= MISSED and now - self._last_answer >= (self.lost_within - DETECTION_TIME) * SECOND:
            seconds = (now - self._last_answer) / SECOND
            raise DeviceLost(f"the SO-101 at {self.port}: no valid answer from {motors.silent} for {seconds:.2f} s")
        state, gripper = (None, None) if states is None or self._unknown_position else self._measured(states, now)
        applied = self._follow(motors, command, now) if self._armed and command is not None else None
        return SO101Output(state, gripper, applied, self._status(motors, states or []))

    def halt(self) -> None:
        """Hold the present position, and read back that the arm stands there.

        Raises:
            NotStopped: a joint still moves; the message says which.
        """
        self._armed, self._reason = False, self._reason if self._fault else "halted"
        try:
            self._open().halt()
            self._ordered = False
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """Hold the present position or switch off, read that back, and close the port.

        Raises:
            NotStopped: a joint still moves, or a motor is still on; the message says which.
        """
        motors, self._motors = getattr(self, "_motors", None), None
        if motors is None:
            return
        try:
            if self._ordered:
                motors.halt()
            if self.release:
                motors.switch_off_verified()
        except (DeviceLost, NotCalibrated, NotStopped) as error:
            # Its loss was reported already.
            if not self._lost:
                raise NotStopped(f"the SO-101 at {self.port} is closed, and may not have stopped: {error}") from error
        finally:
            motors.close()

    def _watch(self, motors: Motors, states: Sequence[ServoState]) -> None:
        """Hold the arm where it is and keep the reason, if a servo has a fault or is not as it was armed."""
        problem = self._problem(states)
        if not problem and self._armed and (foreign := interference(states, motors.recent)):
            problem, self._ordered = foreign + AGAIN, False
        if problem and (self._armed or self._unknown_position):
            if self._armed:
                motors.hold(states)
            self._armed, self._fault, self._reason = False, True, problem

    def _problem(self, states: Sequence[ServoState]) -> str:
        """Return why the arm must not move, armed or not; empty if it may."""
        changed = changed_settings(states, self._offsets)
        angles = self._scale.angles(np.array([state.position for state in states], dtype=np.float64))
        impossible = self._ranges.problem(angles)
        self._unknown_position = bool(changed or impossible)
        texts = filter(None, (faults.fault_text(states, self.hottest, self.voltage), changed, impossible))
        problem = "; ".join(texts)
        return problem + AGAIN if problem else ""

    def _follow(self, motors: Motors, command: JointCommand, now: Time) -> JointCommand | None:
        """Send a command, and return what was sent of it; None if it was refused."""
        self._reason = refusal(command, self.robot)
        if self._reason:
            return None
        elapsed = AHEAD if self._last_sent is None else min((now - self._last_sent) / SECOND, AHEAD)
        before = self._scale.angles(np.array(motors.goals))[:-1]
        wanted = before if command.position is None else command.position
        # One tick more, or rounding errors would add up at full speed.
        reach = self._speed * elapsed + TICK
        position = before + np.clip(wanted - before, -reach, reach)
        # A joint that something holds would sweep to a goal far away once it is free.
        position = np.clip(position, self._position - LEAD, self._position + LEAD)
        goals = _rounded(self._scale.ticks(position, command.gripper or 0.0))
        if command.gripper is None:
            goals[-1] = motors.goals[-1]
        motors.send(goals)
        self._last_sent = now
        sent = self._scale.angles(np.array(goals))
        return JointCommand(position=sent[:-1], gripper=jaw.opening(sent[-1]))

    def _measured(self, states: Sequence[ServoState], now: Time) -> tuple[JointState, GripperState]:
        counts = [(state.position, state.speed, state.load) for state in states]
        ticks, speeds, duties = np.array(counts, dtype=np.float64).T
        angles, rates = self._scale.angles(ticks), self._scale.directed(speeds) * TICK
        efforts = self._scale.directed(duties) * control_table.LOAD.scale * control_table.STALL
        width, slope = jaw.opening(angles[-1]), jaw.slope(angles[-1])
        joints = JointState(position=angles[:-1], velocity=rates[:-1], effort=efforts[:-1], acquired=now)
        # The force is positive when the gripper closes, while its angle decreases.
        grip = GripperState(width=width, speed=rates[-1] * slope, force=-efforts[-1] / slope, acquired=now)
        self._position = angles[:-1]
        return joints, grip

    def _status(self, motors: Motors, states: Sequence[ServoState]) -> DeviceStatus:
        moving = any(abs(state.speed) * TICK > MOVING for state in states)
        state = ("moving" if moving else "ready") if self._armed else "fault" if self._fault else "stopped"
        return DeviceStatus(
            state=state,
            reason=self._reason,
            rejected=motors.rejected,
            temperature=np.array([state.temperature for state in states], dtype=np.float64) if states else None,
            voltage=min(state.voltage for state in states) * control_table.VOLTAGE.scale if states else None,
        )

    def _open(self) -> Motors:
        if self._motors is None:
            raise DeviceLost(f"the port {self.port} is closed")
        return self._motors


def _rounded(ticks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    return [int(tick) for tick in np.rint(ticks)]
