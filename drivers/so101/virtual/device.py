"""The far side of an SO-101's wire: six servos that the vendor's SDK takes for real ones, and an arm behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drivers.so101 import codec, control_table, jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.codec import EVERYONE, Frame, Instruction, Malformed
from drivers.so101.control_table import TICK
from drivers.so101.servos import IDS, JOINTS, NAMES, Servos
from drivers.so101.virtual.line import Line
from drivers.so101.virtual.servo import SUPPLY, Servo
from embodied.bodies import arm
from embodied.clock import rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.messages import JointCommand, Vector
from embodied.messages.schema import Command
from embodied.robot import Robot
from embodied.world import World

HOT, OVERHEATED = 2, 75.0
"""The servo that overheats, and how warm it is then [degC]; it cools down in minutes."""

NEARLY = 1e-3
"""An angle this near to another is taken for it [rad]: a body comes to where it is told in the end."""

SAGGED = 3.5
"""Voltage of a supply that sags [V]."""

SETTING = (Instruction.WRITE, Instruction.ACTION, Instruction.SYNC_WRITE)
"""Instructions that may set a goal."""


@dataclass
class VirtualSO101(VirtualDevice):
    """An SO-101 on a serial bus of its own.

    Attributes:
        robot: the arm.
        calibration: where the zero of each joint is on its servo, and of `gripper`; a driver needs the same.
        serial: that it says it has, in its memory, beside that it is virtual.
        link: path that leads to its port, whose own name is drawn by the system; empty for none.
    """

    robot: Robot
    calibration: dict[str, JointCalibration] = field(default_factory=dict)
    serial: str = "VIRTUAL-SO101"
    link: str = ""

    rate = 100.0
    disturbances = ALL
    faults = ("over-temperature", "low voltage", "power loss")

    def check(self) -> Iterable[str]:
        """The robot has the joints of an SO-101, and the serial number finds room."""
        if tuple(self.robot.joints) != JOINTS:
            yield f"'{self.robot.name}' has the joints {list(self.robot.joints)}, and an SO-101 {list(JOINTS)}"
        room = control_table.NAMEPLATE.width - len(control_table.PLATE)
        if not (self.serial.isascii() and self.serial.isprintable() and 0 < len(self.serial) <= room):
            yield f"serial is {self.serial!r}, and there is room for 1 to {room} plain letters"

    def open(self, world: World) -> None:
        """Take the arm of the world, and switch six servos on.

        Raises:
            LinkFailed: there is something else where the link is to be.
            WorldFailed: there is no such arm.
        """
        self._body = arm(world, "arm")
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._scale = Servos(self.calibration)
        limits = self._scale.limits(self.robot.limit("lower"), self.robot.limit("upper"))
        plate = control_table.PLATE + self.serial.encode("ascii")
        self._servos = {n: Servo(n, *ends, plate) for n, ends in zip(IDS, limits, strict=True)}
        self._heard: list[Command] = []
        self._powered = True
        self._measure()
        for servo in self._servos.values():
            servo.restart()
        self._goals = [servo.get(control_table.GOAL) for servo in self._servos.values()]
        self._line = Line(self._answer, self.link)
        self._line.open()
        self.address = self._line.address

    def step(self) -> None:
        """Read the body, let the servos go on, and set the body's motors."""
        with self._lock:
            self._measure()
            if self._powered:
                for servo in self._servos.values():
                    servo.advance(self._period)
            self._body.command(self._command([servo.target for servo in self._servos.values()]))

    def close(self) -> None:
        """The port goes."""
        line = getattr(self, "_line", None)
        if line is not None:
            line.close()

    def received(self) -> Sequence[Command]:
        """Every goal that was new to the servos, of all six."""
        with self._lock:
            return list(self._heard)

    def position(self) -> Vector:
        """Joint positions of the body, shape (5,) [rad]."""
        with self._lock:
            return self._position.copy()

    def stopped(self) -> bool:
        """Whether every servo is at its goal; one that is switched on always follows a command."""
        with self._lock:
            return all(servo.standing for servo in self._servos.values())

    def push(self, joint: str, angle: float) -> None:
        """A hand takes a joint there, as slowly as hands do; a motor that is on does not yield.

        Args:
            joint: its name, or `gripper`.
            angle: of the joint, or of the jaw [rad].
        """
        with self._lock:
            number = NAMES.index(joint)
            angles = self._scale.angles(np.array([servo.raw for servo in self._servos.values()]))
            angles[number] = angle
            self._servos[IDS[number]].hand = float(self._scale.turns(angles)[number])

    def unplug(self) -> None:
        """The adapter is pulled out of the computer; the servos keep their supply, and their goals."""
        self._line.unplug()

    def plug(self) -> None:
        """It is back, as a new device."""
        self._line.plug()
        self.address = self._line.address

    def freeze(self) -> None:
        """Servos hear, and answer nothing."""
        self._line.freeze(True)

    def thaw(self) -> None:
        """They answer again."""
        self._line.freeze(False)

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb a frame in every nth answer that carries values."""
        self._line.disturb(how, every)

    def ignore_stop(self) -> None:
        """Every servo acknowledges its next goals, and goes on turning."""
        with self._lock:
            for servo in self._servos.values():
                servo.deaf = True

    def inject(self, fault: str) -> None:
        """The shoulder's motor is too hot, the supply sags, or it is gone: then nobody answers, and the gears hold."""
        with self._lock:
            match fault:
                case "over-temperature":
                    self._servos[HOT].heat(OVERHEATED)
                case "low voltage":
                    for servo in self._servos.values():
                        servo.supply = SAGGED
                case "power loss":
                    self._powered = False
                    for servo in self._servos.values():
                        servo.target = servo.raw
                case _:
                    self._unsupported(f"have the fault '{fault}'")

    def clear_faults(self) -> None:
        """It has cooled down, and its supply is back; servos that had none begin anew, with their motors off."""
        with self._lock:
            for servo in self._servos.values():
                servo.supply = SUPPLY
                servo.heat()
                if not self._powered:
                    servo.restart()
            self._powered = True

    def _measure(self) -> None:
        joints, gripper = self._body.read()
        self._position = joints.position
        torque = np.zeros_like(joints.position) if joints.effort is None else joints.effort
        slope = jaw.slope(jaw.angle(gripper.width))
        ticks = self._scale.turns(np.append(joints.position, self._jaw(gripper.width)))
        speeds = self._scale.turned(np.append(joints.velocity, gripper.speed / slope)) / TICK
        # Closing is positive in the gripper's force, and negative in its angle.
        duties = self._scale.turned(np.append(torque, -gripper.force * slope)) / control_table.STALL
        for servo, raw, speed, duty in zip(self._servos.values(), ticks, speeds, duties, strict=True):
            servo.raw, servo.speed = float(raw), float(speed)
            servo.duty = float(np.clip(np.nan_to_num(duty), -1.0, 1.0))

    def _jaw(self, width: float) -> float:
        """Angle of the jaw [rad] at an opening [m]; its servo's, where it is turned on and the opening stays."""
        angle = jaw.angle(width)
        held = float(self._scale.angles(np.array([servo.target for servo in self._servos.values()]))[-1])
        return held if angle > jaw.WIDEST - NEARLY and held > angle else angle

    def _command(self, ticks: Sequence[float]) -> JointCommand:
        angles = self._scale.angles(np.array(ticks))
        return JointCommand(position=angles[:-1], gripper=jaw.opening(angles[-1]))

    def _answer(self, frame: Frame, speed: int | None) -> list[Frame]:
        """What the servos say to a frame, in order."""
        with self._lock:
            if not self._powered:
                return []
            hearing = {
                s.get(control_table.ID): s
                for s in self._servos.values()
                if speed in (None, control_table.BAUDS[s.get(control_table.BAUD)])
            }
            if frame.code in (Instruction.SYNC_READ, Instruction.SYNC_WRITE):
                answers = self._synced(frame, hearing)
            else:
                meant = hearing.values() if frame.id == EVERYONE else filter(None, (hearing.get(frame.id),))
                answers = [answer for servo in meant if (answer := servo.answer(frame))]
            self._hear(frame)
            return answers

    def _synced(self, frame: Frame, hearing: Mapping[int, Servo]) -> list[Frame]:
        if frame.code == Instruction.SYNC_READ:
            address, width, *ids = frame.parameters if len(frame.parameters) > 2 else (0, 0)
            asked = [codec.read(number, address, width) for number in ids if number in hearing]
            return [answer for each in asked if (answer := hearing[each.id].answer(each))]
        try:
            address, values = codec.sync_written(frame)
        except Malformed:
            return []
        for number, data in values.items():
            if number in hearing:
                hearing[number].write(address, data)
        return []

    def _hear(self, frame: Frame) -> None:
        """Remember the goals, where a frame may have set some."""
        if frame.code in SETTING:
            goals = [servo.get(control_table.GOAL) for servo in self._servos.values()]
            if goals != self._goals:
                self._heard.append(self._command(goals))
            self._goals = goals
