"""UFACTORY xArm 6 and 7 through the vendor's SDK: targets streamed at 100 Hz, and what comes back is checked."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from drivers.xarm import codec
from drivers.xarm.faults import told_fault
from drivers.xarm.hosts import loopback, takes
from drivers.xarm.sdk import connecting, sdk
from drivers.xarm.tap import Tap
from embodied.clock import SECOND, Time, rate_of
from embodied.errors import DeviceLost, NotStopped
from embodied.guards.command_check import joint_problem, joint_range_problem
from embodied.messages import DeviceStatus, GripperState, JointCommand, JointState, Vector
from embodied.node.identity import Identity, JointRange
from embodied.node.node import Driver
from embodied.node.ports import Ports
from embodied.robot import Robot

ANSWER = 0.1
"""A reply that takes longer is not waited for [s]; the box answers within a millisecond or two."""

GRIPPER_EVERY = 5
"""The gripper is spoken to in one step of so many: its bus is slow beside the box."""

SPEED = 3.1416
"""Greatest speed of every joint [rad/s]: xArm User Manual, technical specifications, 180°/s."""

OUTSIDE, JUMP = 0.2, 0.1
"""A measured joint is this far outside its range, or jumps so much further than it could have gone, at most [rad]."""

BOOT = 10.0
"""A box that has just been switched on is waited for [s]."""

REPORT, REPORTS = 0.05, 20
"""A report of the box is waited for, so many times [s]."""

GONE = (-1, 8)
"""Codes of the SDK for a connection that is no more."""

VIRTUAL = "VIRTUAL"
"""Serial numbers of virtual arms end so."""


class XArmOutput(NamedTuple):
    """What the arm measures, and what it was really told to do."""

    state: JointState | None
    gripper: GripperState | None
    applied: JointCommand | None
    status: DeviceStatus


@dataclass
class XArm(Driver):
    """An xArm 6 or 7 with its gripper, position controlled; without a command it stands where it was last sent.

    The box follows targets that are streamed to it (its mode 1), and stands at the last one when they cease. Targets
    that are not finite, of another number of joints or outside the robot's limits are refused whole; one that is
    further away than the joints can go in a step is approached. The gripper's force is not measured: it is NaN.

    Attributes:
        robot: whose limits and joints.
        host: address of the control box.
        port: of its control; only a virtual one has another.
        serial: of the arm that is meant; empty takes any.
    """

    robot: Robot
    host: str
    port: int = codec.PORT
    serial: str = ""

    rate = 100.0
    stops_within = 0.4
    lost_within = 0.3

    def ports(self) -> Ports:
        """As many joints as the robot has; commands are positions."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied", "status"):
            ports = ports.refine(port, sizes=sizes)
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def check(self) -> Iterable[str]:
        """The SDK is there, the host is an address, and the robot has as many joints as an xArm."""
        if len(self.robot.joints) not in (6, 7):
            yield f"'{self.robot.name}' has {len(self.robot.joints)} joints; this drives arms with 6 or 7"
        if not takes(self.host):
            yield f"host is '{self.host}', and the SDK takes IPv4 addresses alone, such as 192.168.1.185"
        sdk()

    def open(self) -> None:
        """Connect; nothing moves, and no motor is switched on.

        Raises:
            DeviceLost: nobody answers at that address.
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
        self._seen: tuple[Time, Vector] | None = None
        self._heard: Time | None = None
        self._sent: Vector | None = None
        self._width: tuple[Time, float] | None = None
        self._pulses: int | None = None
        self._arm: Any = None
        self._pause = threading.Event()
        # The SDK goes to a socket file in the temporary directory, whatever host it was given: a real arm's commands
        # would reach a virtual one, or somebody else's. It may do so only where just that is meant.
        forbid = not (loopback(self.host) and self.port == codec.PORT)
        until = time.monotonic() + BOOT
        while self._arm is None:
            try:
                with connecting(constants, self.port):
                    self._arm = api(self.host, is_radian=True, report_type="rich", forbid_uds=forbid, timed_comm=False)
            except Exception as error:
                if time.monotonic() > until:
                    where = f"{self.host}:{self.port}"
                    text = f"no xArm answers at {where} for {BOOT:.0f} s ({error}); is it on, and on this network?"
                    raise DeviceLost(text) from error
                self._pause.wait(0.2)
        self._arm.set_timeout(ANSWER)
        self._tap = Tap.on(self._arm._arm)
        self._limits = constants.Robot.JOINT_LIMITS

    def identify(self) -> Identity:
        """What the box says, and what UFACTORY says of the ranges of such an arm."""
        arm = self._arm
        code, serial = arm.get_robot_sn()
        if code != 0:
            raise DeviceLost(f"the xArm at {self.host} does not say its serial number (code {code})")
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
        """Clear errors, switch the motors on and wait for targets; it stands where it is.

        Raises:
            DeviceLost: it does not answer.
            NotStopped: it answers, and is not ready; the sentence says why.
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
                raise DeviceLost(f"the xArm at {self.host} fell silent while it was armed")
        _, state = arm.get_state()
        _, (error, _warning) = arm.get_err_warn_code()
        if error or state >= codec.State.STOPPED:
            raise NotStopped(f"the xArm at {self.host} cannot be armed: {told_fault(error)}, state {state}")
        for act in (
            lambda: arm.set_gripper_enable(True),
            lambda: arm.set_gripper_mode(0),
            lambda: arm.set_gripper_speed(5000),
        ):
            act()
        code, q = arm.get_joint_states(num=1)
        if code != 0:
            raise DeviceLost(f"the xArm at {self.host} does not say where it is (code {code})")
        # The SDK knows the mode from the next report alone, and warns of every target until then.
        for _ in range(REPORTS):
            if arm.mode == codec.Mode.SERVO:
                break
            self._pause.wait(REPORT)
        self._sent = np.array(q[0][: self._n])
        self._seen = self._heard = None
        self._pulses = None
        self._armed, self._reason = True, ""

    def step(self, command: JointCommand | None, now: Time) -> XArmOutput:
        """Send a target, then read where the joints are.

        Raises:
            DeviceLost: the connection is gone, or nothing was heard for `lost_within`.
        """
        if self._heard is None:
            self._heard = now
        self._steps += 1
        applied = self._follow(command) if self._armed and command is not None else None
        state = self._read(now)
        gripper = self._read_gripper(now) if self._steps % GRIPPER_EVERY == 0 else None
        if now - self._heard > self.lost_within * SECOND:
            raise DeviceLost(f"the xArm at {self.host} said nothing for {(now - self._heard) / SECOND:.2f} s")
        return XArmOutput(state, gripper, applied if self._armed else None, self._status())

    def halt(self) -> None:
        """Stop, and ask whether it did.

        Raises:
            NotStopped: it does not say that it stands.
        """
        self._armed, self._reason = False, "told to halt"
        self._arm.set_state(codec.State.STOPPED)
        code, state = self._arm.get_state()
        if code != 0 or state < codec.State.STOPPED:
            raise NotStopped(f"the xArm at {self.host} was told to stop, and says state {state} (code {code})")

    def close(self) -> None:
        """Stop it, as far as it can still be told, and hang up."""
        arm, self._arm = getattr(self, "_arm", None), None
        if arm is None:
            return
        if arm.connected and self._armed:
            arm.set_state(codec.State.STOPPED)
        arm.disconnect()

    def _follow(self, command: JointCommand) -> JointCommand | None:
        """What was sent of a command; None if it was refused."""
        self._reason = self._refusal(command)
        if self._reason:
            return None
        position = None
        if command.position is not None:
            assert self._sent is not None
            target = self._sent + np.clip(command.position - self._sent, -self._step, self._step)
            # As it goes over the wire, in single precision.
            target = np.asarray(target, dtype=np.float32).astype(np.float64)
            if self._stopped(self._arm.set_servo_angle_j(target.tolist())):
                return None
            self._sent = position = target
        width = None
        if command.gripper is not None:
            pulses = min(max(round(command.gripper / codec.PULSE), codec.PULSES[0]), codec.PULSES[1])
            if pulses != self._pulses and (self._pulses is None or self._steps % GRIPPER_EVERY == 2):
                self._arm.set_gripper_position(pulses, wait=False, wait_motion=False, check_baud=False)
                self._pulses = pulses
            width = None if self._pulses is None else self._pulses * codec.PULSE
        return JointCommand(position=position, gripper=width)

    def _refusal(self, command: JointCommand) -> str:
        problem = joint_problem(command, "position", self._n)
        if not problem and command.position is not None:
            problem = joint_range_problem(command.position, self._lower, self._upper, self._names)
        return f"refused: {problem}" if problem else ""

    def _stopped(self, code: int) -> bool:
        """Whether the box did not take a target; why is found out, and it has to be armed again."""
        if code == 0:
            return False
        if code in GONE:
            raise DeviceLost(f"the connection to the xArm at {self.host} is gone")
        if code in (3, 4, 5, 6, 7):
            # No reply that could be believed; whether the target arrived shows in where the joints go.
            return False
        asked, (error, _warning) = self._arm.get_err_warn_code()
        _, state = self._arm.get_state()
        if asked == 0 and (error or state >= codec.State.STOPPED):
            self._armed = False
            self._reason = told_fault(error) if error else f"it is in state {state}"
        return True

    def _read(self, now: Time) -> JointState | None:
        """Where the joints are; None if nothing that can be believed was said."""
        code, values = self._arm.get_joint_states(num=3)
        if code in GONE:
            raise DeviceLost(f"the connection to the xArm at {self.host} is gone")
        if code != 0:
            return None
        position, velocity, effort = (np.array(part[: self._n], dtype=np.float64) for part in values)
        if not self._believable(position, velocity, effort, now):
            self._rejected += 1
            return None
        self._seen = (now, position)
        self._heard = now
        return JointState(position=position, velocity=velocity, effort=effort, acquired=now)

    def _believable(self, position: Vector, velocity: Vector, effort: Vector, now: Time) -> bool:
        """Whether an arm can be where it says: TCP loses and bends nothing, but what stands between may."""
        if not all(np.isfinite(part).all() and np.abs(part).max() < 1e3 for part in (position, velocity, effort)):
            return False
        if np.any(position < self._lower - OUTSIDE) or np.any(position > self._upper + OUTSIDE):
            return False
        if self._seen is None:
            return True
        at, before = self._seen
        return bool(np.abs(position - before).max() <= 1.5 * SPEED * (now - at) / SECOND + JUMP)

    def _read_gripper(self, now: Time) -> GripperState | None:
        code, pulses = self._arm.get_gripper_position(check_baud=False)
        if code != 0 or pulses is None or not codec.PULSES[0] - 50 <= pulses <= codec.PULSES[1] + 50:
            return None
        width = pulses * codec.PULSE
        speed = 0.0
        if self._width is not None:
            at, before = self._width
            speed = (width - before) / max((now - at) / SECOND, 1e-3)
        self._width = (now, width)
        return GripperState(width=width, speed=speed, force=math.nan, acquired=now)

    def _status(self) -> DeviceStatus:
        arm = self._arm
        error = int(arm.error_code)
        if self._armed and error:
            self._armed, self._reason = False, told_fault(error)
        if self._armed and self._steps % 10 == 0:
            _, state = arm.get_state()
            if state >= codec.State.STOPPED:
                self._stopped(9)
        state = "ready"
        if not self._armed:
            state = "fault" if error not in (0, codec.Fault.EMERGENCY_STOP) else "stopped"
        hot = list(arm.temperatures)[: self._n]
        volts = list(arm.voltages)[: self._n]
        return DeviceStatus(
            state=state,
            reason=self._reason,
            rejected=self._rejected + self._tap.rejected,
            temperature=np.array(hot, dtype=np.float64),
            voltage=float(min(volts)) if any(volts) else None,
        )
