"""State machine of a virtual control box: modes, errors and the motion of its arm, without any protocol.

As the SDK's own source and UFACTORY's user manual describe it: motion needs motors that are enabled, no error, and a
state below 4; a change of mode stops the arm until the state is set again; an error stops it, and is cleared by a
client. In servo mode the newest target is approached at the joints' greatest speed and no further command is needed,
so an arm whose client falls silent stands still as soon as it is at its last target: within 0.3 s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from drivers.xarm.codec import OVERHEATED, Fault, Frame, Mode, State
from drivers.xarm.report import Report
from drivers.xarm.virtual.flange import Flange
from drivers.xarm.virtual.gripper import GripperBus
from drivers.xarm.virtual.motion import SETTLE_DISTANCE, Move, Obstruction, joint_path
from embodied.devices.virtual import RECEIVED_MOST
from embodied.messages import JointCommand, Vector
from embodied.robot import Robot

KINDS = {6: 6, 7: 7}
"""Type number of the arm, by its number of joints."""

HOT = 80
"""Motor temperature above which the arm stops [degC]."""

QUEUE = 2048
"""Largest number of planned motions that wait; a further one is refused."""

ONLINE = (Mode.JOINT_ONLINE, Mode.LINE_ONLINE)
"""Modes in which a new goal replaces the one before."""

LIMIT_TOLERANCE = 2e-3
"""Distance by which a target may be outside a joint's range [rad]: targets arrive in single precision."""

DONE = 0
"""Code of a planned motion that ended at its goal."""

DROPPED = 2
"""Code of a planned motion that was dropped."""


class Controller:
    """State machine of one virtual control box with its arm, which begins at home.

    Args:
        robot: joints of the arm and their limits.
        kinematics: kinematics of its tool.
        serial: serial number of the arm, whose third to sixth characters are digits.
        firmware: version of its firmware, three numbers.

    Attributes:
        received: newest commands for the arm that were accepted, in SI units.
        measured: joint positions, velocities and efforts of the body, each of shape (n,).
        setpoint: joint positions that the motors hold or approach, shape (n,) [rad].
        finished: called with the request and the code of each planned motion that has ended.
        passed: called after each step, with the time that passed [s].
        counter: counter that clients count up.
        steer: velocity of the tool in line velocity mode, shape (6,) [m/s], [rad/s], and whether in its own axes.
        ignores_stop: whether a stop is acknowledged and not obeyed.
    """

    def __init__(self, robot: Robot, kinematics: Flange, serial: str, firmware: str) -> None:
        self.robot = robot
        self.kinematics = kinematics
        self.axes = len(robot.joints)
        self.serial = serial
        self.firmware = firmware
        self.received: deque[JointCommand] = deque(maxlen=RECEIVED_MOST)
        home = robot.limit("home")
        self.measured = (home, np.zeros(self.axes), np.zeros(self.axes))
        self.finished: Callable[[Frame, int], None] = lambda _, __: None
        self.passed: Callable[[float], None] = lambda _: None
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
        self.steer: tuple[Vector, bool] | None = None
        self._velocity = (np.zeros(self.axes), 0.0)
        self._obstruction = Obstruction()
        self.counter = 0

    @property
    def ready(self) -> bool:
        """Whether it would follow a command."""
        return self.enabled and not self.error and self.state < State.STOPPED

    @property
    def moving(self) -> bool:
        """Whether a motion is under way or waits."""
        rotating = self._velocity[1] > 0 and (self.steer is not None or bool(np.any(self._velocity[0])))
        return bool(self._queue) or rotating or bool(np.abs(self._target - self.setpoint).max() > 1e-6)

    @property
    def waiting(self) -> int:
        """Number of planned motions under way or waiting."""
        return len(self._queue)

    @property
    def goal(self) -> Vector:
        """Joint positions at the end of all planned motions, shape (n,) [rad]."""
        goals = (move.goal for move in reversed(self._queue))
        return next((goal for goal in goals if goal is not None), self.setpoint)

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
            self.servo_codes[joint] = (1, OVERHEATED)
            self.enabled = False
            self.fail(Fault.SERVO_1 + joint)

    def stop(self, state: State) -> None:
        """Stop where the arm is, drop all planned motions, and enter a state."""
        for move in self._queue:
            self.finished(move.request, DROPPED)
        self._queue.clear()
        self._velocity, self.steer = (np.zeros(self.axes), 0.0), None
        self._obstruction = Obstruction()
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
        """Append a motion, straight in joint space, to joint positions (n,) [rad]; return whether it is accepted."""
        return self.drive(request, joint_path([self.start_of_next, goal]), speed if speed > 0 else 0.35, acceleration)

    @property
    def start_of_next(self) -> Vector:
        """Joint positions from which the next planned motion begins, shape (n,) [rad]."""
        return self.setpoint if self.mode in ONLINE else self.goal

    def drive(self, request: Frame, path: tuple[Vector, Vector], speed: float, acceleration: float) -> bool:
        """Append a planned motion along a path; in an online mode it replaces those under way.

        Args:
            request: request that asked for it.
            path: points and marks, as in `Move`.
            speed: speed along it, in the unit of the marks per second.
            acceleration: acceleration along it, likewise.

        Returns:
            whether the box accepts it.
        """
        if self.mode not in (Mode.PLANNED, *ONLINE) or not self.ready or len(self._queue) >= QUEUE:
            return False
        if not all(self._accept(point) for point in path[0][-1:]):
            return True
        if self.mode in ONLINE:
            self._queue.clear()
        self._queue.append(Move(*path, max(speed, 1e-3), max(acceleration, 0.1), request))
        self.state = State.MOVING
        return True

    def dwell(self, request: Frame, seconds: float) -> bool:
        """Append a pause to the planned motions [s]; return whether the box accepts it."""
        if not self.ready or len(self._queue) >= QUEUE:
            return False
        self._queue.append(Move(np.zeros((0, self.axes)), np.zeros(0), 1.0, 1.0, request, pause=seconds))
        self.state = State.MOVING
        return True

    def rotate(self, velocity: Vector, seconds: float) -> bool:
        """Set joint velocities (n,) [rad/s] for some time, or for good (0) [s]; return whether the box accepts them."""
        if self.mode not in (Mode.JOINT_VELOCITY, Mode.LINE_VELOCITY) or not self.ready:
            return False
        self._velocity = np.clip(velocity, -self._fastest, self._fastest), seconds if seconds > 0 else np.inf
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
        self.passed(seconds)
        if not self.ready and not self.ignores_stop:
            return self.setpoint
        if self.state == State.PAUSED:
            self._speed = 0.0
            return self.setpoint
        before = self.setpoint
        if self.mode == Mode.SERVO:
            step = self._fastest * seconds
            self.setpoint = self.setpoint + np.clip(self._target - self.setpoint, -step, step)
        elif self.mode == Mode.TEACH:
            self._target = self.setpoint = self.measured[0].copy()
        elif self.mode in (Mode.JOINT_VELOCITY, Mode.LINE_VELOCITY):
            self._advance_velocity(seconds)
        elif self._queue:
            self._advance_move(seconds)
        if self._blocked(np.abs(self.setpoint - before).max() / seconds, seconds):
            self.fail(Fault.COLLISION)
        if self.ready:
            self.state = State.MOVING if self.moving else State.STANDING
        return self.setpoint

    def _advance_move(self, seconds: float) -> None:
        move = self._queue[0]
        position, over = move.advance(seconds, self._fastest)
        if position is not None:
            self._target = self.setpoint = position
        if not over:
            return
        # The client hears of the end when the arm is there, not when the motors have been sent there.
        last = len(self._queue) == 1 and move.goal is not None
        if not last or np.abs(self.measured[0] - self.setpoint).max() < SETTLE_DISTANCE:
            self._queue.popleft()
            self.finished(move.request, DONE)

    def _advance_velocity(self, seconds: float) -> None:
        velocity, left = self._velocity
        if left <= 0:
            return
        if self.steer is not None:
            goal = self.kinematics.steered(self.setpoint, *self.steer, seconds)
            if goal is None:
                self.fail(Fault.KINEMATICS)
                return
            velocity = np.clip((goal - self.setpoint) / seconds, -self._fastest, self._fastest)
        wanted = self.setpoint + velocity * seconds
        if not self.within_limits(wanted):
            self.fail(Fault.JOINT_LIMIT)
            return
        self._target = self.setpoint = wanted
        self._velocity = (self._velocity[0], left - seconds)

    def _blocked(self, speed: float, seconds: float) -> bool:
        """Return whether the joints have been away from where the motors hold them for too long."""
        # A planned motion that waits for the arm at its end must not wait for ever.
        waits = len(self._queue) == 1 and self._queue[0].over and not speed
        return self._obstruction.lasts(float(np.abs(self.measured[0] - self.setpoint).max()), speed, waits, seconds)

    def report(self) -> Report:
        """Return the next report of the box."""
        position, velocity, effort = self.measured
        return Report(
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
            counter=self.counter,
        )
