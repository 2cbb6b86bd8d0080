"""The inside of a control box: what it answers to a frame, and where it wants the joints, without any wire.

As the SDK's own source and UFACTORY's user manual describe it: motion needs motors that are enabled, no error, and a
state below 4; a change of mode stops the arm until the state is set again; an error stops it, and is cleared by a
client. In servo mode the newest target is approached at the joints' greatest speed and no further command is needed,
so an arm whose client falls silent stands still as soon as it is at its last target: within `STANDS` seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Fault, Flag, Frame, Mode, Register, State
from drivers.xarm.virtual.gripper import GripperBus
from embodied.messages import JointCommand, Vector
from embodied.robot import Robot

KINDS = {6: 6, 7: 7}
"""Number of the type of the arm, by its joints."""

HOT = 80
"""A motor that is hotter than this stops the arm [degC]."""

STANDS = 0.3
"""An arm in servo mode stands still so long after its last command [s]."""

QUEUE = 2048
"""Planned motions that wait; a further one is refused."""


class Kinematics(Protocol):
    """Where the flange is, and how to get there."""

    def forward(self, q: Vector) -> Vector:
        """Pose of the flange, x, y, z [mm] and roll, pitch, yaw [rad], at joint positions (n,) [rad]."""

    def inverse(self, pose: Vector, q: Vector) -> Vector | None:
        """Joint positions (n,) [rad] near `q` that put the flange at a pose (6,); None if there are none."""


@dataclass(slots=True)
class Move:
    """A planned motion: a line in joint space with even acceleration.

    Attributes:
        goal: joint positions, shape (n,) [rad].
        speed: of the joint that goes furthest [rad/s].
        acceleration: of that joint [rad/s²].
        request: that asked for it, when its end is to be told.
    """

    goal: Vector
    speed: float
    acceleration: float
    request: Frame | None = None


class Controller:
    """One box with its arm.

    Args:
        robot: the arm's joints and their limits; it begins at home.
        kinematics: of its flange.
        serial: of the arm, of which the third to sixth sign are digits.
        firmware: as three numbers.

    Attributes:
        heard: every command for the arm that was accepted, in SI units.
        measured: joint positions, velocities and efforts as the body has them, each of shape (n,).
        told: is called with each frame that is sent without having been asked for.
        obedient: False lets it say yes to a stop and go on.
    """

    def __init__(self, robot: Robot, kinematics: Kinematics, serial: str, firmware: str) -> None:
        self.robot = robot
        self.axes = len(robot.joints)
        self.serial = serial
        self.firmware = firmware
        self.heard: list[JointCommand] = []
        home = robot.limit("home")
        self.measured = (home, np.zeros(self.axes), np.zeros(self.axes))
        self.told: Callable[[Frame], None] = lambda _: None
        self.obedient = True
        self.gripper = GripperBus(robot.opening)
        self.enabled = False
        self.state = State.STOPPED
        self.mode = Mode.PLANNED
        self.error = self.warning = 0
        self.servo_codes = [(0, 0)] * self.axes
        self.temperature = [35] * self.axes
        self.pressed = False
        self.wanted = home
        self._kinematics = kinematics
        self._lower, self._upper = robot.limit("lower"), robot.limit("upper")
        self._fastest = robot.limit("velocity")
        self._target = home
        self._queue: deque[Move] = deque()
        self._speed = 0.0
        self._feedback = 0
        self._reports = 0

    @property
    def ready(self) -> bool:
        """Whether it would follow a command."""
        return self.enabled and not self.error and self.state < State.STOPPED

    @property
    def moving(self) -> bool:
        """Whether it has a motion to make."""
        return bool(self._queue) or bool(np.abs(self._target - self.wanted).max() > 1e-6)

    def answer(self, request: Frame) -> Frame:
        """What it replies, after having done what was asked."""
        try:
            register = Register(request.register)
            handler = _HANDLERS[register]
        except (ValueError, KeyError):
            return request.reply(self._flags() | Flag.INVALID)
        values = handler(self, request)
        if values is None:
            return request.reply(self._flags() | Flag.INVALID)
        return request.reply(self._flags(), values)

    def _flags(self) -> int:
        flags = 0 if self.ready else int(Flag.NOT_READY)
        return flags | (Flag.ERROR if self.error else 0) | (Flag.WARNING if self.warning else 0)

    def fail(self, error: int) -> None:
        """An error: it stops at once, where it is."""
        self.error = error
        self._stand(State.STOPPED)

    def press(self) -> None:
        """The emergency stop cuts the motors off; the brakes hold."""
        self.pressed, self.enabled = True, False
        self.fail(Fault.EMERGENCY_STOP)

    def heat(self, joint: int, degrees: int) -> None:
        """A motor becomes so hot [degC]."""
        self.temperature[joint] = degrees
        if degrees > HOT:
            self.servo_codes[joint] = (1, codec.OVERHEATED)
            self.enabled = False
            self.fail(Fault.SERVO_1 + joint)

    def _stand(self, state: State) -> None:
        for move in self._queue:
            self._finish(move, 2)
        self._queue.clear()
        self._speed = 0.0
        if not self.obedient:
            return
        self.state = state
        self._target = self.wanted = self.measured[0].copy()

    def advance(self, seconds: float) -> Vector:
        """Let time pass; where the joints should be now, shape (n,) [rad]."""
        self.gripper.advance(seconds)
        if not self.ready and self.obedient:
            return self.wanted
        if self.state == State.PAUSED:
            self._speed = 0.0
            return self.wanted
        if self.mode == Mode.SERVO:
            step = self._fastest * seconds
            self.wanted = self.wanted + np.clip(self._target - self.wanted, -step, step)
        elif self._queue:
            self._plan(seconds)
        self.state = State.MOVING if self.moving else State.STANDING
        return self.wanted

    def _plan(self, seconds: float) -> None:
        move = self._queue[0]
        way = move.goal - self.wanted
        length = float(np.abs(way).max())
        # The fastest from which the rest of the way is enough to brake.
        limit = (2 * move.acceleration * length) ** 0.5
        self._speed = min(self._speed + move.acceleration * seconds, move.speed, limit)
        step = self._speed * seconds
        if length <= max(step, 1e-5):
            self.wanted = move.goal
            self._target = move.goal
            self._speed = 0.0
            self._queue.popleft()
            self._finish(move, 0)
        else:
            self.wanted = self.wanted + way * (step / length)

    def _finish(self, move: Move, code: int) -> None:
        """Tell the client that asked that its motion is over: 0 it is done, 2 it was dropped."""
        if move.request is not None and self._feedback & 2:
            payload = bytes([move.request.register, 2, 0, 0, 0, code, 0])
            self.told(Frame(move.request.transaction, move.request.protocol, 0xFF, payload))

    def report(self) -> codec.Report:
        """What it says of itself now."""
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
            pose=self._kinematics.forward(position).tolist(),
            enabled=self.enabled,
            firmware=self.firmware,
            servos=self.servo_codes,
            temperature=self.temperature,
            voltage=[24.0] * self.axes,
            counter=self._reports,
        )

    def _version(self, _: Frame) -> bytes:
        return codec.version(self.axes, KINDS[self.axes], self.serial, f"AC{self.serial[2:]}", self.firmware)

    def _serial(self, _: Frame) -> bytes:
        return f"{self.serial}\0AC{self.serial[2:]}\0".encode().ljust(40, b"\0")[:40]

    def _enable(self, request: Frame) -> bytes | None:
        if len(request.payload) < 2 or (self.pressed and request.payload[1]):
            return None
        self.enabled = bool(request.payload[1])
        if not self.enabled:
            self._stand(State.STOPPED)
        return b""

    def _set_state(self, request: Frame) -> bytes | None:
        wanted = request.payload[:1]
        if wanted == b"\x00":
            if self.error or not self.enabled:
                return None
            self._target = self.wanted = self.measured[0].copy() if self.state >= State.STOPPED else self.wanted
            self.state = State.MOVING if self._queue else State.STANDING
        elif wanted == b"\x03" and self.state < State.STOPPED:
            self.state = State.PAUSED
        elif wanted == b"\x04":
            self._stand(State.STOPPED)
        else:
            return None
        return b""

    def _get_state(self, _: Frame) -> bytes:
        return bytes([self.state])

    def _count(self, _: Frame) -> bytes:
        return len(self._queue).to_bytes(2, "big")

    def _errors(self, _: Frame) -> bytes:
        return bytes([self.error, self.warning])

    def _clear_error(self, _: Frame) -> bytes | None:
        if self.pressed or any(degrees > HOT for degrees in self.temperature):
            return None
        self.error = 0
        self.servo_codes = [(0, 0)] * self.axes
        return b""

    def _clear_warning(self, _: Frame) -> bytes:
        self.warning = 0
        return b""

    def _set_mode(self, request: Frame) -> bytes | None:
        try:
            mode = Mode(request.payload[0])
        except (IndexError, ValueError):
            return None
        if mode != self.mode:
            self._stand(State.MODE_CHANGED)
        self.mode = mode
        return b""

    def _joints(self, request: Frame) -> bytes:
        parts = request.payload[0] & 0x0F if request.payload else 1
        values: list[float] = []
        for part in self.measured[: max(1, min(parts, 3))]:
            values += codec.seven(part.tolist())
        return codec.floats(values)

    def _effort(self, _: Frame) -> bytes:
        return codec.floats(codec.seven(self.measured[2].tolist()))

    def _tool_pose(self, _: Frame) -> bytes:
        return codec.floats(self._kinematics.forward(self.measured[0]).tolist())

    def _forward(self, request: Frame) -> bytes | None:
        q = self._asked(request.payload)
        return None if q is None else codec.floats(self._kinematics.forward(q).tolist())

    def _inverse(self, request: Frame) -> bytes | None:
        pose = np.array(codec.to_floats(request.payload)[:6])
        found = self._kinematics.inverse(pose, self.measured[0]) if len(pose) == 6 and np.isfinite(pose).all() else None
        return None if found is None else codec.floats(codec.seven(found.tolist()))

    def _limited(self, request: Frame) -> bytes | None:
        q = self._asked(request.payload)
        return None if q is None else bytes([0 if self._inside(q) else 1])

    def _asked(self, payload: bytes) -> Vector | None:
        """The joints at the beginning of a payload, if they are numbers; an infinite one stays where it is."""
        q = np.array(codec.to_floats(payload)[: self.axes])
        if len(q) < self.axes or np.isnan(q).any():
            return None
        goal = self._queue[-1].goal if self._queue else self.wanted
        return np.where(np.isposinf(q), goal, q)

    def _inside(self, q: Vector) -> bool:
        return bool(np.all((q >= self._lower - 2e-3) & (q <= self._upper + 2e-3)))

    def _servo(self, request: Frame) -> bytes | None:
        q = self._asked(request.payload)
        if q is None or self.mode != Mode.SERVO or not self.ready:
            return None
        self.heard.append(JointCommand(position=q))
        if not self._inside(q):
            self.fail(Fault.JOINT_LIMIT)
            return b""
        self._target = q
        return b""

    def _move_joint(self, request: Frame) -> bytes | None:
        values = codec.to_floats(request.payload)
        q = self._asked(request.payload)
        return None if q is None or len(values) < 10 else self._append(request, q, values[7], values[8])

    def _move_home(self, request: Frame) -> bytes | None:
        values = codec.to_floats(request.payload)
        zero = np.zeros(self.axes)
        return None if len(values) < 3 else self._append(request, zero, values[0], values[1])

    def _move_line(self, request: Frame) -> bytes | None:
        """A line of the flange, made here as a line of the joints to the same place."""
        values = codec.to_floats(request.payload)
        if len(values) < 9:
            return None
        goal = self._queue[-1].goal if self._queue else self.wanted
        q = self._kinematics.inverse(np.array(values[:6]), goal)
        if q is None:
            return None
        return self._append(request, q, max(values[6] / 300.0, 0.05), max(values[7] / 300.0, 0.5))

    def _append(self, request: Frame, goal: Vector, speed: float, acceleration: float) -> bytes | None:
        if self.mode != Mode.PLANNED or not self.ready or len(self._queue) >= QUEUE:
            return None
        self.heard.append(JointCommand(position=goal))
        if not self._inside(goal):
            self.fail(Fault.JOINT_LIMIT)
            return b""
        fastest = float(self._fastest.min())
        speed = min(speed if speed > 0 else 0.35, fastest)
        self._queue.append(Move(goal, speed, min(max(acceleration, 0.1), 20.0), request))
        self.state = State.MOVING
        # Room for the answer of a check that was asked for with it.
        return bytes(3)

    def _set_feedback(self, request: Frame) -> bytes | None:
        if not request.payload:
            return None
        self._feedback = request.payload[0]
        return b""

    def _bus(self, request: Frame) -> bytes | None:
        found = self.gripper.transfer(request.payload)
        if found is not None and self.gripper.asked is not None:
            self.heard.append(JointCommand(gripper=self.gripper.asked))
            self.gripper.asked = None
        return found

    def _bus_error(self, _: Frame) -> bytes:
        return bytes([0, 0])

    def _bus_read(self, request: Frame) -> bytes | None:
        return self.gripper.read_host(request.payload)

    def _bus_write(self, request: Frame) -> bytes | None:
        return self.gripper.write_host(request.payload)


_HANDLERS: dict[Register, Callable[[Controller, Frame], bytes | None]] = {
    Register.VERSION: Controller._version,
    Register.SERIAL: Controller._serial,
    Register.ENABLE: Controller._enable,
    Register.SET_STATE: Controller._set_state,
    Register.GET_STATE: Controller._get_state,
    Register.COUNT: Controller._count,
    Register.ERROR: Controller._errors,
    Register.CLEAR_ERROR: Controller._clear_error,
    Register.CLEAR_WARNING: Controller._clear_warning,
    Register.SET_MODE: Controller._set_mode,
    Register.MOVE_LINE: Controller._move_line,
    Register.MOVE_JOINT: Controller._move_joint,
    Register.MOVE_HOME: Controller._move_home,
    Register.SERVO_JOINT: Controller._servo,
    Register.TOOL_POSE: Controller._tool_pose,
    Register.JOINTS: Controller._joints,
    Register.INVERSE: Controller._inverse,
    Register.FORWARD: Controller._forward,
    Register.JOINT_LIMITED: Controller._limited,
    Register.EFFORT: Controller._effort,
    Register.BUS: Controller._bus,
    Register.BUS_ERROR: Controller._bus_error,
    Register.BUS_WRITE16: Controller._bus_write,
    Register.BUS_READ16: Controller._bus_read,
    Register.FEEDBACK: Controller._set_feedback,
}
