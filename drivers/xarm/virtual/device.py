"""Virtual xArm: a control box that the vendor's own SDK accepts, and an arm of the world behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.xarm import codec
from drivers.xarm.codec import Register, State
from drivers.xarm.hosts import is_loopback, numeric
from drivers.xarm.virtual.controller import KINDS, Controller
from drivers.xarm.virtual.flange import Flange
from drivers.xarm.virtual.requests import Requests
from drivers.xarm.virtual.server import Server
from embodied.bodies import ArmBody, arm, body_claim
from embodied.clock import rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.messages import JointCommand, Vector
from embodied.messages.schema import Command
from embodied.ranges import Range
from embodied.robot import Robot
from embodied.world import World

SERIAL = "XF1300VIRTUAL"
"""Serial number that it reports, and no real arm has."""

SERIAL_OTHER = "XF1300OTHERVIRTUAL"
"""Serial number of a box that takes the place of the first one."""

PARTS: dict[str, frozenset[int]] = {
    "joints": frozenset({Register.JOINTS}),
    "report": frozenset(),
    "orders": frozenset(
        {
            # Not that which switches the motors on: the SDK would wait for it for 5 s.
            Register.SET_STATE,
            Register.CLEAR_ERROR,
            Register.CLEAR_WARNING,
            Register.SET_MODE,
            Register.MOVE_LINE,
            Register.MOVE_JOINT,
            Register.MOVE_HOME,
            Register.SERVO_JOINT,
        }
    ),
}
"""Registers of what it can withhold the answers to; the report has a port of its own."""


@dataclass
class VirtualXArm(VirtualDevice):
    """Virtual xArm 6 or 7 with its gripper: a control box of UFACTORY over TCP.

    Attributes:
        robot: joints of the arm and their limits.
        host: loopback address that it is served at; two arms need two.
        port: port of its control; a user without the right to port 502 serves it on the SDK's local socket instead.
        flange: name of the arm's last link; empty is `link6` or `link7`, by its number of joints.
        firmware: version of the firmware that it reports.
        gripper: `xarm`, or `none` if there is none at its flange.
    """

    robot: Robot
    host: str = "127.0.0.1"
    port: int = codec.PORT
    flange: str = ""
    firmware: str = "2.5.0"
    gripper: str = "xarm"

    rate = 100.0
    disturbances = ALL
    faults = ("over-temperature", "power loss")

    def claims(self) -> Iterable[str]:
        """Yield the arm of the world, and the address at which it is served."""
        yield body_claim("arm", "arm")
        yield f"the address {numeric(self.host)}:{self.port} to serve"

    def check(self) -> Iterable[str]:
        """Check the number of joints, that the host is this machine, the port, and the link of the flange."""
        if len(self.robot.joints) not in KINDS:
            yield f"'{self.robot.name}' must have 6 or 7 joints, got {len(self.robot.joints)}"
        if not is_loopback(self.host):
            yield f"host must be a loopback address, such as 127.0.0.2, got {self.host}"
        yield from Range(1, 65535).problems(port=self.port)
        try:
            Flange(self.robot, self._link)
        except ValueError as error:
            yield f"flange is '{self._link}': {error}"

    @property
    def _link(self) -> str:
        return self.flange or f"link{len(self.robot.joints)}"

    def open(self, world: World) -> None:
        """Take the arm of the world, and serve the box.

        Raises:
            LinkFailed: a port is taken, or may not be used.
            WorldFailed: the world has no such arm.
        """
        self._start(arm(world, "arm"))

    def _start(self, body: ArmBody) -> None:
        """Serve the box with an arm behind it."""
        self._body = body
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._box = Controller(self.robot, Flange(self.robot, self._link), SERIAL, self.firmware)
        self._box.gripper.present = self.gripper != "none"
        self._measure()
        self._box.setpoint = self._box.measured[0].copy()
        requests = Requests(self._box)
        self._server = Server(self.host, self.port, requests.answer, self._box.report, self._lock)
        requests.send = self._server.send
        self._server.open()
        self.address = self._server.address
        self._powered = True

    def step(self) -> None:
        """Measure the body, advance the box, and command the body's motors."""
        with self._lock:
            self._measure()
            if self._powered:
                position = self._box.advance(self._period)
                self._body.command(JointCommand(position=position, gripper=self._box.gripper.width))

    def _measure(self) -> None:
        joints, gripper = self._body.read()
        effort = joints.effort if joints.effort is not None else joints.velocity * 0.0
        self._box.measured = (joints.position, joints.velocity, effort)
        self._box.gripper.measured = gripper.width

    def close(self) -> None:
        """Stop serving, and remove the socket file."""
        server = getattr(self, "_server", None)
        if server is not None:
            server.close()

    def received(self) -> Sequence[Command]:
        """Return every command that reached the arm."""
        with self._lock:
            return list(self._box.received)

    def position(self) -> Vector:
        """Return the joint positions of the body, shape (n,) [rad]."""
        with self._lock:
            return self._box.measured[0].copy()

    def stopped(self) -> bool:
        """Return whether the box is in a state in which it follows no command."""
        with self._lock:
            return self._box.state >= State.STOPPED

    def unplug(self) -> None:
        """Pull the network cable out of the box."""
        self._server.unplug(True)

    def plug(self) -> None:
        """Plug the network cable in again."""
        self._server.unplug(False)

    def freeze(self) -> None:
        """Take requests, and answer none."""
        self._server.freeze(True)

    def thaw(self) -> None:
        """Answer requests again after `freeze`."""
        self._server.freeze(False)

    def unplug_gripper(self, yes: bool) -> None:
        """Unplug the gripper from the arm, or plug it in again: requests to it are an error of the box meanwhile."""
        with self._lock:
            self._box.gripper.present = not yes

    def withhold(self, part: str = "") -> None:
        """Carry requests out, and answer none of those for one part: joints, report or orders; or answer all.

        Args:
            part: one of `PARTS`; empty to answer all again.
        """
        self._server.withhold(PARTS[part] if part else frozenset(), reports=part == "report")

    def replace(self) -> None:
        """Put another box with another arm in its place, at the same address; as after every start, it is stopped."""
        with self._lock:
            self._box.restart(SERIAL_OTHER)
        self._server.cut()

    def restart(self) -> None:
        """Switch the box off and on; all connections are cut, and its motors are off."""
        with self._lock:
            self._box.restart(self._box.serial)
        self._server.cut()

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth reply that carries values."""
        self._server.disturb(how, every)

    def press_stop(self) -> None:
        """Press the emergency stop: motors off, brakes on, error 2."""
        with self._lock:
            self._box.press_stop()

    def release_stop(self) -> None:
        """Release the emergency stop; the error stays until a client clears it."""
        with self._lock:
            self._box.pressed = False

    def ignore_stop(self) -> None:
        """Acknowledge stops from now on, and go on moving."""
        with self._lock:
            self._box.ignores_stop = True

    def inject(self, fault: str) -> None:
        """Overheat a motor, or cut the box's power: then the brakes hold, and nothing answers."""
        if fault == "over-temperature":
            with self._lock:
                self._box.heat(1, 95)
        elif fault == "power loss":
            with self._lock:
                self._powered = False
                self._box.enabled, self._box.state = False, State.STOPPED
                self._body.command(JointCommand(position=self._box.measured[0]))
            self._server.unplug(True)
        else:
            super().inject(fault)

    def clear_faults(self) -> None:
        """Cool the motor and restore power; as after every start, the motors are off."""
        with self._lock:
            self._box.heat(1, 40)
            self._box.setpoint = self._box.measured[0].copy()
            self._powered = True
        self._server.unplug(False)
