"""State machine of a virtual control box: modes, errors and the motion of its arm, without any protocol.

As the SDK's own source and UFACTORY's user manual describe it: motion needs motors that are enabled, no error, and a
state below 4; a change of mode stops the arm until the state is set again; an error stops it, and is cleared by a
client. In servo mode the newest target is approached at the joints' greatest speed and no further command is needed,
so an arm whose client falls silent stands still as soon as it is at its last target: within 0.3 s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Fault, Frame, Mode, State
from drivers.xarm.virtual.gripper import GripperBus
from embodied.messages import JointCommand, Vector
from embodied.robot import Robot

KINDS = {6: 6, 7: 7}
"""Type number of the arm, by its number of joints."""

HOT = 80
"""Motor temperature above which the arm stops [degC]."""

QUEUE = 2048
"""Largest number of planned motions that wait; a further one is refused."""

LIMIT_TOLERANCE = 2e-3
"""Distance by which a target may be outside a joint's range [rad]: targets arrive in single precision."""

DONE = 0
"""Code of a planned motion that ended at its goal."""

DROPPED = 2
"""Code of a planned motion that was dropped."""


class Kinematics(Protocol):
    """Kinematics that the virtual control box's state machine needs: forward and inverse, of the flange."""

    def forward(self, q: Vector) -> Vector:
        """Return the pose of the flange, x, y, z [mm] and roll, pitch, yaw [rad], at joint positions (n,) [rad]."""

    def inverse(self, pose: Vector, q: Vector) -> Vector | None:
        """Return joint positions (n,) [rad] near `q` that put the flange at a pose (6,); None if there are none."""


@dataclass(slots=True)
class Move:
    """Motion of the virtual control box's arm, as planned: a line in joint space with constant acceleration.

    Attributes:
        goal: joint positions at its end, shape (n,) [rad].
        speed: largest speed of the joint that goes furthest [rad/s].
        acceleration: acceleration of that joint [rad/s²].
        request: request that asked for it; its client may be notified of the end.
    """

    goal: Vector
    speed: float
    acceleration: float
    request: Frame


class Controller:
    """State machine of one virtual control box with its arm, which begins at home.

    Args:
        robot: joints of the arm and their limits.
        kinematics: kinematics of its flange.
        serial: serial number of the arm, whose third to sixth characters are digits.
        firmware: version of its firmware, three numbers.

    Attributes:
        received: every command for the arm that was accepted, in SI units.
        measured: joint positions, velocities and efforts of the body, each of shape (n,).
        setpoint: joint positions that the motors hold or approach, shape (n,) [rad].
        finished: called with the request and the code of each planned motion that has ended.
        ignores_stop: whether a stop is acknowledged and not obeyed.
    """

    def __init__(self, robot: Robot, kinematics: Kinematics, serial: str, firmware: str) -> None:
        self.robot = robot
        self.kinematics = kinematics
        self.axes = len(robot.joints)
        self.serial = serial
        self.firmware = firmware
        self.received: list[JointCommand] = []
        home = robot.limit("home")
        self.measured = (home, np.zeros(self.axes), np.zeros(self.axes))
        self.finished: Callable[[Frame, int], None] = lambda _, __: None
        self.ignores_stop = False
        self.gripper = GripperBus(robot.opening)
        self.enabled = False
        self.state = State.STOPPED
        self.mode = Mode.PLANNED
        self.error = self.warning = 0
        self.servo_codes = [(0, 0)] * self.axes
        self.temperature = [35] * self.axes
        self.pressed = False
        self.setpoint = home
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")
        self._fastest = robot.limit("velocity")
        self._target = home
        self._queue: deque[Move] = deque()
        self._speed = 0.0
        self._reports = 0

    @property
    def ready(self) -> bool:
        """Whether it would follow a command."""
        return self.enabled and not self.error and self.state < State.STOPPED

    @property
    def moving(self) -> bool:
        """Whether a motion is under way or waits."""
        return bool(self._queue) or bool(np.abs(self._target - self.setpoint).max() > 1e-6)

    @property
    def waiting(self) -> int:
        """Number of planned motions under way or waiting."""
        return len(self._queue)

    @property
    def goal(self) -> Vector:
        """Joint positions at the end of all planned motions, shape (n,) [rad]."""
        return self._queue[-1].goal if self._queue else self.setpoint

    def fail(self, error: int) -> None:
        """Set an error, and stop at once."""
        self.error = error
        self.stop(State.STOPPED)

    def press_stop(self) -> None:
        """Press the emergency stop: the motors are cut off, and the brakes hold."""
        self.pressed, self.enabled = True, False
        self.fail(Fault.EMERGENCY_STOP)

    def restart(self, serial: str) -> None:
        """Begin as after every start: motors off, stopped, in planned mode.

        Args:
            serial: serial number of the arm from now on.
        """
        self.serial = serial
        self.enabled, self.mode = False, Mode.PLANNED
        self.error = self.warning = 0
        self.stop(State.STOPPED)

    def heat(self, joint: int, degrees: int) -> None:
        """Set the temperature of a motor [degC]; a hot one stops the arm."""
        self.temperature[joint] = degrees
        if degrees > HOT:
            self.servo_codes[joint] = (1, codec.OVERHEATED)
            self.enabled = False
            self.fail(Fault.SERVO_1 + joint)

    def stop(self, state: State) -> None:
        """Stop where the arm is, drop all planned motions, and enter a state."""
        for move in self._queue:
            self.finished(move.request, DROPPED)
        self._queue.clear()
        self._speed = 0.0
        if self.ignores_stop:
            return
        self.state = state
        self._target = self.setpoint = self.measured[0].copy()

    def enable(self, on: bool) -> bool:
        """Switch the motors on or off; return whether the box accepts it."""
        if self.pressed and on:
            return False
        self.enabled = on
        if not on:
            self.stop(State.STOPPED)
        return True

    def start(self) -> bool:
        """Leave the stopped or paused state; return whether the box accepts it."""
        if self.error or not self.enabled:
            return False
        if self.state >= State.STOPPED:
            self.setpoint = self.measured[0].copy()
        self._target = self.setpoint
        self.state = State.MOVING if self._queue else State.STANDING
        return True

    def set_mode(self, mode: Mode) -> None:
        """Set the mode; a change stops the arm."""
        if mode != self.mode:
            self.stop(State.MODE_CHANGED)
        self.mode = mode

    def clear_error(self) -> bool:
        """Clear the error; return whether its cause is gone."""
        if self.pressed or any(degrees > HOT for degrees in self.temperature):
            return False
        self.error = 0
        self.servo_codes = [(0, 0)] * self.axes
        return True

    def within_limits(self, q: Vector) -> bool:
        """Return whether joint positions (n,) [rad] are within the joints' ranges."""
        return bool(np.all((q >= self._lower - LIMIT_TOLERANCE) & (q <= self._upper + LIMIT_TOLERANCE)))

    def follow(self, q: Vector) -> bool:
        """Set the target of servo mode (n,) [rad]; return whether the box accepts it."""
        if self.mode != Mode.SERVO or not self.ready:
            return False
        if self._accept(q):
            self._target = q
        return True

    def plan(self, request: Frame, goal: Vector, speed: float, acceleration: float) -> bool:
        """Append a planned motion to joint positions (n,) [rad]; return whether the box accepts it."""
        if self.mode != Mode.PLANNED or not self.ready or len(self._queue) >= QUEUE:
            return False
        if self._accept(goal):
            speed = min(speed if speed > 0 else 0.35, float(self._fastest.min()))
            self._queue.append(Move(goal, speed, min(max(acceleration, 0.1), 20.0), request))
            self.state = State.MOVING
        return True

    def _accept(self, goal: Vector) -> bool:
        self.received.append(JointCommand(position=goal))
        if self.within_limits(goal):
            return True
        self.fail(Fault.JOINT_LIMIT)
        return False

    def advance(self, seconds: float) -> Vector:
        """Let time pass, and return the new setpoint, shape (n,) [rad]."""
        self.gripper.advance(seconds)
        if not self.ready and not self.ignores_stop:
            return self.setpoint
        if self.state == State.PAUSED:
            self._speed = 0.0
            return self.setpoint
        if self.mode == Mode.SERVO:
            step = self._fastest * seconds
            self.setpoint = self.setpoint + np.clip(self._target - self.setpoint, -step, step)
        elif self._queue:
            self._advance_move(seconds)
        self.state = State.MOVING if self.moving else State.STANDING
        return self.setpoint

    def _advance_move(self, seconds: float) -> None:
        move = self._queue[0]
        way = move.goal - self.setpoint
        length = float(np.abs(way).max())
        # Largest speed from which the rest of the way is enough to brake.
        limit = (2 * move.acceleration * length) ** 0.5
        self._speed = min(self._speed + move.acceleration * seconds, move.speed, limit)
        step = self._speed * seconds
        if length <= max(step, 1e-5):
            self.setpoint = move.goal
            self._target = move.goal
            self._speed = 0.0
            self._queue.popleft()
            self.finished(move.request, DONE)
        else:
            self.setpoint = self.setpoint + way * (step / length)

    def report(self) -> codec.Report:
        """Return the next report of the box."""
        self._reports += 1
        position, velocity, effort = self.measured
        return codec.Report(
            axes=self.axes,
            kind=KINDS[self.axes],
            state=self.state,
            mode=self.mode,
            count=len(self._queue),
            error=self.error,
            warning=self.warning,
            position=position.tolist(),
            velocity=velocity.tolist(),
            effort=effort.tolist(),
            pose=self.kinematics.forward(position).tolist(),
            enabled=self.enabled,
            firmware=self.firmware,
            servos=self.servo_codes,
            temperature=self.temperature,
            voltage=[24.0] * self.axes,
            counter=self._reports,
        )
