"""The far side of an xArm's wire: a control box that the vendor's own SDK takes for one, and an arm behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.xarm import codec
from drivers.xarm.codec import State
from drivers.xarm.flange import Flange
from drivers.xarm.hosts import loopback
from drivers.xarm.virtual.controller import KINDS, Controller
from drivers.xarm.virtual.server import Server
from embodied.bodies import arm
from embodied.clock import rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.messages import JointCommand, Vector
from embodied.messages.schema import Command
from embodied.robot import Robot
from embodied.world import World

SERIAL = "XF1300VIRTUAL"
"""What it says it is: a serial number that no real arm has."""


@dataclass
class VirtualXArm(VirtualDevice):
    """A control box of UFACTORY with an xArm 6 or 7 and its gripper, over TCP.

    Attributes:
        robot: the arm.
        host: a loopback address; two arms have two.
        port: of its control; a client without the right to port 502 is served there on the SDK's local socket instead.
        flange: the arm's last link.
        firmware: that it says it runs.
    """

    robot: Robot
    host: str = "127.0.0.1"
    port: int = codec.PORT
    flange: str = "link6"
    firmware: str = "2.5.0"

    rate = 100.0
    disturbances = ALL
    faults = ("over-temperature", "power loss")

    def check(self) -> Iterable[str]:
        """As many joints as there are xArms with, a host of this machine, a flange that is there."""
        if len(self.robot.joints) not in KINDS:
            yield f"'{self.robot.name}' has {len(self.robot.joints)} joints, and an xArm has 6 or 7"
        if not loopback(self.host):
            yield f"host is {self.host}, and a virtual arm is on this machine: 127.0.0.1, 127.0.0.2, …"
        if not 0 < self.port < 65536:
            yield f"port is {self.port}, and there are 1 to 65535"
        try:
            Flange(self.robot, self.flange)
        except ValueError as error:
            yield f"flange is '{self.flange}': {error}"

    def open(self, world: World) -> None:
        """Take the arm of the world, and listen.

        Raises:
            LinkFailed: a port is taken.
            WorldFailed: there is no such arm.
        """
        self._body = arm(world, "arm")
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._box = Controller(self.robot, Flange(self.robot, self.flange), SERIAL, self.firmware)
        self._measure()
        self._box.wanted = self._box.measured[0].copy()
        self._server = Server(self.host, self.port, self._box.answer, self._box.report, self._lock)
        self._box.told = self._server.tell
        self._server.open()
        self.address = self._server.address
        self._powered = True

    def step(self) -> None:
        """Read the body, let the box decide, and set the body's motors."""
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
        """Stop listening; its socket file goes."""
        server = getattr(self, "_server", None)
        if server is not None:
            server.close()

    def received(self) -> Sequence[Command]:
        """Every command that reached it."""
        with self._lock:
            return list(self._box.heard)

    def position(self) -> Vector:
        """Joint positions of the body, shape (n,) [rad]."""
        with self._lock:
            return self._box.measured[0].copy()

    def stopped(self) -> bool:
        """Whether it is in a state in which it follows nothing."""
        with self._lock:
            return self._box.state >= State.STOPPED

    def unplug(self) -> None:
        """The network cable is out."""
        self._server.unplug(True)

    def plug(self) -> None:
        """It is in again."""
        self._server.unplug(False)

    def freeze(self) -> None:
        """The box takes requests and answers none."""
        self._server.freeze(True)

    def thaw(self) -> None:
        """It answers again."""
        self._server.freeze(False)

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth reply that carries values."""
        self._server.disturb(how, every)

    def press_stop(self) -> None:
        """The red button: motors off, brakes on, error 2."""
        with self._lock:
            self._box.press()

    def release_stop(self) -> None:
        """The button is out again; the error stays until a client clears it."""
        with self._lock:
            self._box.pressed = False

    def ignore_stop(self) -> None:
        """From now on it acknowledges a stop, and goes on."""
        with self._lock:
            self._box.obedient = False

    def inject(self, fault: str) -> None:
        """A motor overheats, or the box loses its power: then the brakes hold, and nobody answers."""
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
        """Cool, and powered again; as after every start its motors are off."""
        with self._lock:
            self._box.heat(1, 40)
            self._box.wanted = self._box.measured[0].copy()
            self._powered = True
        self._server.unplug(False)
