"""Driver of the UFACTORY xArm 6 and 7 through the vendor's SDK: targets streamed at 100 Hz, every answer checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from drivers.xarm import codec
from drivers.xarm.faults import fault_text
from drivers.xarm.gripper import Gripper
from drivers.xarm.hosts import is_loopback, is_supported
from drivers.xarm.reply_filter import ReplyFilter
from drivers.xarm.sdk import connecting, sdk
from embodied.clock import SECOND, Time, rate_of
from embodied.errors import DeviceLost, NotStopped
from embodied.guards.command_check import joint_problem, joint_range_problem
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState, Vector
from embodied.node.identity import Identity, JointRange
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.robot import Robot

REPLY_TIMEOUT = 0.1
"""Longest wait for a reply [s]; the box answers within a millisecond or two."""

SPEED = 3.1416
"""Largest speed of every joint [rad/s]: xArm User Manual, technical specifications, 180°/s."""

RANGE_MARGIN = 0.2
"""Distance by which a plausible joint position may be outside its range [rad]."""

JUMP_MARGIN = 0.1
"""Distance that a joint may move beyond what its speed allows and still be plausible [rad]."""

STATE_EVERY = 10
"""Number of steps per request for the state of the box."""

BOOT = 10.0
"""Longest wait for a box that has just been switched on [s]."""

RETRY = 0.2
"""Pause between two attempts to connect [s]."""

REPORT_PERIOD = 0.05
"""Pause between two looks at whether the next report of the box has arrived [s]."""

REPORT_TRIES = 20
"""Number of times that a report is waited for."""

GONE = (-1, 8)
"""Codes of the SDK for a connection that is gone."""

STATE_NOT_READY = 9
"""Code of the SDK for a box that is in no state to move."""

NO_REPLY = (3, 4, 5, 6, 7)
"""Codes of the SDK for a request without a usable reply."""

VIRTUAL = "VIRTUAL"
"""End of the serial numbers of virtual arms."""


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
    """

    robot: Robot
    host: str
    port: int = codec.PORT
    serial: str = ""

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

    def check(self) -> Iterable[str]:
        """Check that the SDK is installed, the host is an address, and the robot has as many joints as an xArm."""
        if len(self.robot.joints) not in (6, 7):
            yield f"'{self.robot.name}' must have 6 or 7 joints, got {len(self.robot.joints)}"
        if not is_supported(self.host):
            yield f"host must be an IPv4 address, such as 192.168.1.185, got '{self.host}': the SDK takes no names"
        sdk()

    def open(self) -> None:
        """Connect to the control box, without switching a motor on.

        Raises:
            DeviceLost: no box answers at the address.
            MissingExtra: the SDK is not installed.
        """
        api, constants = sdk()
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
        self._arm: Any = None
        self._pause = threading.Event()
        # Whatever its host, the SDK prefers a socket file in the temporary directory: commands for a real arm would
        # reach a virtual one, or another user's. It is allowed only where exactly that is meant.
        forbid = not (is_loopback(self.host) and self.port == codec.PORT)
        deadline = time.monotonic() + BOOT
        while self._arm is None:
            try:
                with connecting(constants, self.port):
                    self._arm = api(self.host, is_radian=True, report_type="rich", forbid_uds=forbid, timed_comm=False)
            except Exception as error:
                if time.monotonic() > deadline:
                    address = f"{self.host}:{self.port}"
                    text = f"no xArm answers at {address} within {BOOT:.0f} s ({error}); is it on, and on this network?"
                    raise DeviceLost(text) from error
                self._pause.wait(RETRY)
        self._arm.set_timeout(REPLY_TIMEOUT)
        self._gripper = Gripper(self._arm)
        self._filter = ReplyFilter.install(self._arm._arm)
        self._limits = constants.Robot.JOINT_LIMITS

    def identify(self) -> Identity:
        """Return what the box reports of itself, and the joint ranges that UFACTORY states for such an arm."""
        arm = self._arm
        code, serial = arm.get_robot_sn()
        if code != 0:
            raise DeviceLost(f"the xArm at {self.host} does not report its serial number (code {code})")
        axes, kind = int(arm.axis), int(arm.device_type)
        limits = self._limits.get(axes, {}).get(kind, [])
        joints = {
            f"joint{i}": JointRange(lower=low, upper=high, velocity=SPEED) for i, (low, high) in enumerate(limits, 1)
        }
        virtual = str(serial).endswith(VIRTUAL)
        return Identity(
            model=f"xArm {axes}",
            serial=str(serial),
            firmware=".".join(map(str, arm.version_number)),
            virtual=virtual,
            joints=joints,
        )

    def arm(self) -> None:
        """Clear errors, switch the motors on and enter servo mode; the arm holds its position.

        Raises:
            DeviceLost: the box does not answer.
            NotStopped: the box answers and is not ready; the message says why.
        """
        arm = self._arm
        for act in (
            arm.clean_error,
            arm.clean_warn,
            lambda: arm.motion_enable(True),
            lambda: arm.set_mode(codec.Mode.SERVO),
            lambda: arm.set_state(0),
        ):
            code = act()
            if code in GONE:
                raise DeviceLost(f"the xArm at {self.host} stopped answering while it was armed")
        _, state = arm.get_state()
        _, (error, _warning) = arm.get_err_warn_code()
        if error or state >= codec.State.STOPPED:
            raise NotStopped(f"the xArm at {self.host} cannot be armed: {fault_text(error)}, state {state}")
        self._gripper.enable()
        code, q = arm.get_joint_states(num=1)
        if code != 0:
            raise DeviceLost(f"the xArm at {self.host} does not report its joint positions (code {code})")
        # The SDK learns the mode from the next report only, and warns of every target until then.
        for _ in range(REPORT_TRIES):
            if arm.mode == codec.Mode.SERVO:
                break
            self._pause.wait(REPORT_PERIOD)
        self._sent = np.array(q[0][: self._n])
        self._measured = self._last_reply = None
        self._armed, self._reason = True, ""

    def step(self, command: JointCommand | None, now: Time) -> XArmOutput:
        """Send a target, then read the joints.

        Raises:
            DeviceLost: the connection is gone, or nothing was received for `lost_within`.
        """
        if self._last_reply is None:
            self._last_reply = now
        self._steps += 1
        applied = self._follow(command) if self._armed and command is not None else None
        state = self._read(now)
        gripper = self._gripper.read(self._steps, now)
        silence = (now - self._last_reply) / SECOND
        if silence > self.lost_within:
            raise DeviceLost(f"the xArm at {self.host} sent nothing for {silence:.2f} s")
        return XArmOutput(state, gripper, applied if self._armed else None, self._status())

    def halt(self) -> None:
        """Stop, and read the state back.

        Raises:
            NotStopped: the box does not report that the arm is stopped.
        """
        self._armed, self._reason = False, "halted"
        self._arm.set_state(codec.State.STOPPED)
        code, state = self._arm.get_state()
        if code != 0 or state < codec.State.STOPPED:
            raise NotStopped(f"the xArm at {self.host} was commanded to stop, and reports state {state} (code {code})")

    def close(self) -> None:
        """Stop the arm, if it still answers, and disconnect."""
        arm, self._arm = getattr(self, "_arm", None), None
        if arm is None:
            return
        if arm.connected and self._armed:
            arm.set_state(codec.State.STOPPED)
        arm.disconnect()

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
        opening = None if command.gripper is None else self._gripper.move(command.gripper, self._steps)
        return JointCommand(position=position, gripper=opening)

    def _refusal(self, command: JointCommand) -> str:
        problem = joint_problem(command, "position", self._n)
        if not problem and command.position is not None:
            problem = joint_range_problem(command.position, self._lower, self._upper, self._names)
        return f"refused: {problem}" if problem else ""

    def _not_taken(self, code: int) -> bool:
        """Return whether the box did not take a target; if it reports a fault, the arm has to be armed again."""
        if code == 0:
            return False
        if code in GONE:
            raise DeviceLost(f"the connection to the xArm at {self.host} is gone")
        if code in NO_REPLY:
            # Whether the target arrived shows in the joints' motion.
            return False
        answered, (error, _warning) = self._arm.get_err_warn_code()
        _, state = self._arm.get_state()
        if answered == 0 and (error or state >= codec.State.STOPPED):
            self._armed = False
            self._reason = fault_text(error) if error else f"it is in state {state}"
        return True

    def _read(self, now: Time) -> JointState | None:
        """Read the joints; None without a plausible reply."""
        code, values = self._arm.get_joint_states(num=3)
        if code in GONE:
            raise DeviceLost(f"the connection to the xArm at {self.host} is gone")
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

    def _status(self) -> DeviceStatus:
        arm = self._arm
        error = int(arm.error_code)
        if self._armed and error:
            self._armed, self._reason = False, fault_text(error)
        if self._armed and self._steps % STATE_EVERY == 0:
            _, state = arm.get_state()
            if state >= codec.State.STOPPED:
                self._not_taken(STATE_NOT_READY)
        state = "ready"
        if not self._armed:
            state = "fault" if error not in (0, codec.Fault.EMERGENCY_STOP) else "stopped"
        temperatures = list(arm.temperatures)[: self._n]
        voltages = list(arm.voltages)[: self._n]
        return DeviceStatus(
            state=state,
            reason=self._reason,
            rejected=self._rejected + self._filter.rejected,
            temperature=np.array(temperatures, dtype=np.float64),
            voltage=float(min(voltages)) if any(voltages) else None,
        )
