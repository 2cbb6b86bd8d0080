"""Driver of the UFACTORY xArm 6 and 7 through the vendor's SDK: targets streamed at 100 Hz, every answer checked."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from drivers.xarm import codec
from drivers.xarm.connection import GONE, NO_REPLY, answered, connect, disconnect
from drivers.xarm.faults import fault_text
from drivers.xarm.gripper import GRIPPERS, Gripper
from drivers.xarm.hosts import is_supported, numeric
from drivers.xarm.identity import SPEED, read_identity
from drivers.xarm.reply_filter import ReplyFilter
from drivers.xarm.sdk import sdk
from drivers.xarm.supervisor import AGAIN, Supervisor
from embodied.clock import SECOND, Time, rate_of
from embodied.devices.claim import Claim
from embodied.errors import DeviceLost, NotStopped
from embodied.guards.command_check import joint_problem, joint_range_problem
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState, Vector
from embodied.node.identity import Identity
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.robot import Robot

RANGE_MARGIN = 0.2
"""Distance by which a plausible joint position may be outside its range [rad]."""

JUMP_MARGIN = 0.1
"""Distance that a joint may move beyond what its speed allows and still be plausible [rad]."""

STATE_EVERY = 10
"""Number of steps per request for the state of the box."""

REPORT_PERIOD = 0.05
"""Pause between two looks at whether the next report of the box has arrived [s]."""

REPORT_TRIES = 20
"""Number of times that a report is waited for."""


class XArmOutput(NamedTuple):
    """Output of the driver `XArm`: measurements of arm and gripper, and the command that was really sent."""

    state: JointState | None
    gripper: GripperState | None
    applied: JointCommand | None
    status: DeviceStatus


@dataclass
class XArm(Driver):
    """Driver of an xArm 6 or 7 with its gripper, position controlled; without a command it holds its last target.

    The box follows targets that are streamed to it (its mode 1), and holds the last one when they cease. Targets that
    are not finite, of another number of joints or outside the robot's limits are refused whole; one that is further
    away than the joints can go in a step is approached. The gripper's force is not measured: it is NaN.

    Attributes:
        robot: joints of the arm and their limits.
        host: address of the control box.
        port: port of its control; only a virtual box has another than 502.
        serial: serial number of the arm that is wanted; empty accepts any.
        gripper: `xarm`, or `none` if the flange has none: then none is commanded, and none is published.
    """

    robot: Robot
    host: str
    port: int = codec.PORT
    serial: str = ""
    gripper: str = "xarm"

    rate = 100.0
    stops_within = 0.4
    lost_within = 0.3

    def ports(self) -> Ports:
        """Declare as many joints as the robot has, and commands that are positions."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied", "status"):
            ports = ports.refine(port, sizes=sizes)
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def claims(self) -> Iterable[str]:
        """Yield the control box and the serial number of the arm."""
        yield from super().claims()
        yield f"the xArm at {numeric(self.host)}:{self.port}"

    def check(self) -> Iterable[str]:
        """Check that the SDK is installed, the host is an address, and the robot has as many joints as an xArm."""
        if len(self.robot.joints) not in (6, 7):
            yield f"'{self.robot.name}' must have 6 or 7 joints, got {len(self.robot.joints)}"
        if not is_supported(self.host):
            yield f"host must be an IPv4 address, such as 192.168.1.185, got '{self.host}': the SDK takes no names"
        if self.gripper not in GRIPPERS:
            yield f"gripper must be one of {', '.join(GRIPPERS)}, got '{self.gripper}'"
        sdk()

    def open(self) -> None:
        """Connect to the control box, without switching a motor on.

        Raises:
            DeviceInUse: another driver has the box.
            DeviceLost: no box answers at the address.
            MissingExtra: the SDK is not installed.
        """
        self._names = tuple(self.robot.joints)
        self._n = len(self._names)
        self._lower, self._upper = self.robot.limit("lower"), self.robot.limit("upper")
        period = float(1 / rate_of(self.rate or 100.0))
        self._step = self.robot.limit("velocity") * period
        self._rejected = 0
        self._armed = False
        self._reason = "not armed yet"
        self._steps = 0
        self._measured: tuple[Time, Vector] | None = None
        self._last_reply: Time | None = None
        self._sent: Vector | None = None
        self._pause = threading.Event()
        self._ordered = self._lost = False
        self._claim = Claim(f"the xArm at {numeric(self.host)}:{self.port}")
        try:
            self._arm: Any = connect(self.host, self.port)
        except BaseException:
            self._claim.release()
            raise
        self._gripper = None if self.gripper == "none" else Gripper(self._arm)
        self._supervisor = Supervisor(self._arm, self._names)
        self._filter = ReplyFilter.install(self._arm._arm)

    def identify(self) -> Identity:
        """Return what the box reports of itself, and the joint ranges that UFACTORY states for such an arm."""
        return read_identity(self._arm, self.host)

    def arm(self) -> None:
        """Clear errors, switch the motors on and enter servo mode; the arm holds its position.

        Raises:
            DeviceLost: the box does not answer.
            NotStopped: the box answers and is not ready; the message says why.
        """
        arm = self._arm
        # An order may be carried out though its answer is lost, so `close` has to stop the arm from here on.
        self._ordered, self._armed = True, False
        for act in (
            arm.clean_error,
            arm.clean_warn,
            lambda: arm.motion_enable(True),
            lambda: arm.set_mode(codec.Mode.SERVO),
            lambda: arm.set_state(0),
        ):
            if act() in GONE:
                raise self._gone("stopped answering while it was armed")
        self._require_ready()
        if self._gripper is not None:
            self._gripper.enable()
            self._require_ready()
        code, q = answered(lambda: arm.get_joint_states(num=1))
        if code != 0:
            raise self._gone(f"does not report its joint positions (code {code})")
        # The SDK learns the mode from the next report only, and warns of every target until then.
        for _ in range(REPORT_TRIES):
            if arm.mode == codec.Mode.SERVO and arm.state < codec.State.PAUSED and not arm.error_code:
                break
            self._pause.wait(REPORT_PERIOD)
        else:
            text = f"is in mode {arm.mode} and state {arm.state} after it was armed: does somebody else command it?"
            raise NotStopped(f"the xArm at {self.host} {text}")
        self._sent = np.array(q[0][: self._n])
        self._supervisor.begin(self._sent)
        self._measured = self._last_reply = None
        self._armed, self._reason = True, ""

    def _require_ready(self) -> None:
        """Check that the box is in a state to move, and has no error."""
        read, state = answered(self._arm.get_state)
        code, errors = answered(self._arm.get_err_warn_code)
        if read != 0 or code != 0:
            raise self._gone(f"does not report its state (code {read or code})")
        error, _warning = errors
        if error or state >= codec.State.PAUSED:
            raise NotStopped(f"the xArm at {self.host} cannot be armed: {fault_text(error)}, state {state}")

    def step(self, command: JointCommand | None, now: Time) -> XArmOutput:
        """Send a target, then read the joints.

        Raises:
            DeviceLost: the connection is gone, or nothing was received for `lost_within`.
        """
        if self._last_reply is None:
            self._last_reply = now
        self._steps += 1
        state = self._read(now)
        gripper = None if self._gripper is None else self._gripper.read(self._steps, now)
        silence = (now - self._last_reply) / SECOND
        if silence > self.lost_within:
            raise self._gone(f"sent nothing for {silence:.2f} s")
        if self._armed:
            self._supervise(state, now)
        applied = self._follow(command) if self._armed and command is not None else None
        if self._armed and self._sent is not None:
            self._supervisor.sent(self._sent)
        return XArmOutput(state, gripper, applied, self._status(now))

    def halt(self) -> None:
        """Stop, and read the state back.

        Raises:
            NotStopped: the box does not report that the arm is stopped.
        """
        self._armed, self._reason = False, "halted"
        self._arm.set_state(codec.State.STOPPED)
        code, state = answered(self._arm.get_state)
        if code != 0 or state < codec.State.STOPPED:
            raise NotStopped(f"the xArm at {self.host} was commanded to stop, and reports state {state} (code {code})")

    def close(self) -> None:
        """Stop the arm if it may follow an order of this driver, read that back, and disconnect.

        Raises:
            NotStopped: the box does not report that the arm is stopped.
        """
        arm, self._arm = getattr(self, "_arm", None), None
        if arm is None:
            return
        try:
            if self._ordered and not self._lost:
                self._arm = arm
                self.halt()
        finally:
            self._arm = None
            disconnect(arm)
            self._claim.release()

    def _gone(self, how: str) -> DeviceLost:
        """Return the error for a box that cannot be reached, to which nothing more is sent."""
        self._armed, self._lost = False, True
        return DeviceLost(f"the xArm at {self.host} {how}")

    def _supervise(self, state: JointState | None, now: Time) -> None:
        """Disarm if the box is not as it was armed; stop it if it may still follow a target of this driver."""
        if self._steps % STATE_EVERY == 0:
            self._arm.get_state()
        intrusion = self._supervisor.intrusion(None if state is None else state.position, now)
        if intrusion is None:
            return
        self._armed, self._reason = False, intrusion.reason
        if intrusion.ours:
            self._arm.set_state(codec.State.STOPPED)
        else:
            self._ordered = False

    def _follow(self, command: JointCommand) -> JointCommand | None:
        """Send a command, and return what was sent of it; None if it was refused."""
        self._reason = self._refusal(command)
        if self._reason:
            return None
        position = None
        if command.position is not None:
            assert self._sent is not None
            target = self._sent + np.clip(command.position - self._sent, -self._step, self._step)
            # In single precision, as it goes over the wire.
            target = np.asarray(target, dtype=np.float32).astype(np.float64)
            if self._not_taken(self._arm.set_servo_angle_j(target.tolist())):
                return None
            self._sent = position = target
        opening = None
        if command.gripper is not None and self._gripper is not None:
            opening = self._gripper.move(command.gripper, self._steps)
        return JointCommand(position=position, gripper=opening)

    def _refusal(self, command: JointCommand) -> str:
        problem = joint_problem(command, "position", self._n)
        if not problem and command.position is not None:
            problem = joint_range_problem(command.position, self._lower, self._upper, self._names)
        return f"refused: {problem}" if problem else ""

    def _not_taken(self, code: int) -> bool:
        """Return whether the box did not take a target; then it has to be armed again."""
        if code in GONE:
            raise self._gone("has closed the connection")
        if code == 0 or code in NO_REPLY:
            # Without a reply the target may have arrived; that shows in the joints' motion.
            return False
        read, (error, _warning) = self._arm.get_err_warn_code()
        _, state = self._arm.get_state()
        self._armed = False
        self._reason = (
            fault_text(error)
            if read == 0 and error
            else (
                f"it refused a target (code {code}, state {state}): somebody else has stopped it or changed its mode; "
                f"{AGAIN}"
            )
        )
        return True

    def _read(self, now: Time) -> JointState | None:
        """Read the joints; None without a plausible reply."""
        code, values = self._arm.get_joint_states(num=3)
        if code in GONE:
            raise self._gone("has closed the connection")
        if code != 0:
            return None
        position, velocity, effort = (np.array(part[: self._n], dtype=np.float64) for part in values)
        if not self._plausible(position, velocity, effort, now):
            self._rejected += 1
            return None
        self._measured = (now, position)
        self._last_reply = now
        return JointState(position=position, velocity=velocity, effort=effort, acquired=now)

    def _plausible(self, position: Vector, velocity: Vector, effort: Vector, now: Time) -> bool:
        """Return whether an arm can move like this: TCP damages nothing, but a converter on the way may."""
        if not all(np.isfinite(part).all() and np.abs(part).max() < 1e3 for part in (position, velocity, effort)):
            return False
        if np.any(position < self._lower - RANGE_MARGIN) or np.any(position > self._upper + RANGE_MARGIN):
            return False
        if self._measured is None:
            return True
        before, last = self._measured
        return bool(np.abs(position - last).max() <= 1.5 * SPEED * (now - before) / SECOND + JUMP_MARGIN)

    def _status(self, now: Time) -> DeviceStatus:
        arm = self._arm
        error = int(arm.error_code)
        state = "ready"
        if not self._armed:
            state = "fault" if error not in (0, codec.Fault.EMERGENCY_STOP) else "stopped"
        reported = self._supervisor.reported(now)
        voltages = list(arm.voltages)[: self._n]
        return DeviceStatus(
            state=state,
            reason=self._reason or (self._gripper.trouble if self._gripper is not None else ""),
            rejected=self._rejected + self._filter.rejected,
            temperature=np.array(list(arm.temperatures)[: self._n], dtype=np.float64) if reported else None,
            voltage=float(min(voltages)) if reported and any(voltages) else None,
        )
