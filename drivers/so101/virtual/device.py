"""Virtual SO-101: a bus with six servos that the vendor's SDK accepts as real ones, and an arm of the world behind."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drivers.so101 import codec, control_table, jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.codec import BROADCAST, Frame, Instruction, Malformed
from drivers.so101.control_table import TICK
from drivers.so101.servos import IDS, JOINTS, NAMES, ServoScale
from drivers.so101.virtual.bus_server import BusServer
from drivers.so101.virtual.servo import SUPPLY, Servo
from embodied.bodies import arm, body_claim
from embodied.clock import rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.messages import JointCommand, Vector
from embodied.messages.schema import Command
from embodied.robot import Robot
from embodied.world import World

OVERHEATING_SERVO = 2
"""Id of the servo that overheats."""

OVERHEATED = 75.0
"""Temperature of an overheated motor [degC]; it cools down in minutes."""

ANGLE_TOLERANCE = 1e-3
"""Difference at which two angles of the jaw count as equal [rad]."""

SAGGED = 3.5
"""Voltage of a supply that is too low [V]."""

SETTING = (Instruction.WRITE, Instruction.ACTION, Instruction.SYNC_WRITE)
"""Instructions that may set a goal."""


@dataclass
class VirtualSO101(VirtualDevice):
    """Virtual SO-101 on a serial bus of its own, with an arm of the world behind.

    Attributes:
        robot: joints of the arm and their limits.
        calibration: calibration of each joint, and of `gripper`; a driver needs the same.
        serial: serial number in its memory, which also says that it is virtual.
        link: path of a symbolic link to its port, whose own name the system chooses; empty for none.
    """

    robot: Robot
    calibration: dict[str, JointCalibration] = field(default_factory=dict)
    serial: str = "VIRTUAL-SO101"
    link: str = ""

    rate = 100.0
    disturbances = ALL
    faults = ("over-temperature", "low voltage", "power loss")

    def claims(self) -> Iterable[str]:
        """Yield the arm of the world."""
        yield body_claim("arm", "arm")

    def check(self) -> Iterable[str]:
        """Check that the robot has the joints of an SO-101, and the length of the serial number."""
        if tuple(self.robot.joints) != JOINTS:
            yield f"joints of '{self.robot.name}' must be {list(JOINTS)}, got {list(self.robot.joints)}"
        longest = control_table.NAMEPLATE.width - len(control_table.PLATE)
        if not (self.serial.isascii() and self.serial.isprintable() and 0 < len(self.serial) <= longest):
            yield f"serial must be 1 to {longest} printable ASCII characters, got {self.serial!r}"

    def open(self, world: World) -> None:
        """Take the arm of the world, and switch six servos on.

        Raises:
            LinkFailed: something else is at the path of the link.
            WorldFailed: the world has no such arm.
        """
        self._body = arm(world, "arm")
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._scale = ServoScale(self.calibration)
        limits = self._scale.limits(self.robot.limit("lower"), self.robot.limit("upper"))
        plate = control_table.PLATE + self.serial.encode("ascii")
        self._servos = {n: Servo(n, *ends, plate) for n, ends in zip(IDS, limits, strict=True)}
        self._received: list[Command] = []
        self._powered = True
        self._measure()
        for servo in self._servos.values():
            servo.restart()
        self._goals = [servo.get(control_table.GOAL) for servo in self._servos.values()]
        self._bus = BusServer(self._answer, self.link)
        self._bus.open()
        self.address = self._bus.address

    def step(self) -> None:
        """Measure the body, advance the servos, and command the body's motors."""
        with self._lock:
            self._measure()
            if self._powered:
                for servo in self._servos.values():
                    servo.advance(self._period)
            self._body.command(self._command([servo.target for servo in self._servos.values()]))

    def close(self) -> None:
        """Close the port, and remove its link."""
        bus = getattr(self, "_bus", None)
        if bus is not None:
            bus.close()

    def received(self) -> Sequence[Command]:
        """Return every change of the servos' goals, of all six."""
        with self._lock:
            return list(self._received)

    def position(self) -> Vector:
        """Return the joint positions of the body, shape (5,) [rad]."""
        with self._lock:
            return self._position.copy()

    def stopped(self) -> bool:
        """Return whether every servo stands at its goal; one that is on still follows a new command."""
        with self._lock:
            return all(servo.standing for servo in self._servos.values())

    def push(self, joint: str, angle: float) -> None:
        """Move a joint by hand, at the speed of a hand; a motor that is on does not yield.

        Args:
            joint: name of the joint, or `gripper`.
            angle: angle of the joint, or of the jaw [rad].
        """
        with self._lock:
            number = NAMES.index(joint)
            angles = self._scale.angles(np.array([servo.raw for servo in self._servos.values()]))
            angles[number] = angle
            self._servos[IDS[number]].hand = float(self._scale.to_ticks(angles)[number])

    def unplug(self) -> None:
        """Unplug the adapter from the computer; the servos keep their supply, and their goals."""
        self._bus.unplug()

    def plug(self) -> None:
        """Plug the adapter in again, as a new device."""
        self._bus.plug()
        self.address = self._bus.address

    def freeze(self) -> None:
        """Take requests, and answer none."""
        self._bus.freeze(True)

    def thaw(self) -> None:
        """Answer requests again after `freeze`."""
        self._bus.freeze(False)

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb a frame in every nth answer that carries values."""
        self._bus.disturb(how, every)

    def ignore_stop(self) -> None:
        """Acknowledge the next goals of every servo, and go on turning."""
        with self._lock:
            for servo in self._servos.values():
                servo.ignores_commands = True

    def inject(self, fault: str) -> None:
        """Overheat the shoulder's motor, lower the supply, or cut it: then nothing answers, and the gears hold."""
        with self._lock:
            match fault:
                case "over-temperature":
                    self._servos[OVERHEATING_SERVO].heat(OVERHEATED)
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
        """Cool the motor and restore the supply; servos that had none restart, with their motors off."""
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
        ticks = self._scale.to_ticks(np.append(joints.position, self._jaw(gripper.width)))
        speeds = self._scale.directed(np.append(joints.velocity, gripper.speed / slope)) / TICK
        # The force is positive when the gripper closes, while its angle decreases.
        duties = self._scale.directed(np.append(torque, -gripper.force * slope)) / control_table.STALL
        for servo, raw, speed, duty in zip(self._servos.values(), ticks, speeds, duties, strict=True):
            servo.raw, servo.speed = float(raw), float(speed)
            servo.duty = float(np.clip(np.nan_to_num(duty), -1.0, 1.0))

    def _jaw(self, width: float) -> float:
        """Return the angle of the jaw [rad] at an opening [m]; beyond the widest opening, that of its servo."""
        angle = jaw.angle(width)
        servo = float(self._scale.angles(np.array([servo.target for servo in self._servos.values()]))[-1])
        return servo if angle > jaw.WIDEST - ANGLE_TOLERANCE and servo > angle else angle

    def _command(self, ticks: Sequence[float]) -> JointCommand:
        angles = self._scale.angles(np.array(ticks))
        return JointCommand(position=angles[:-1], gripper=jaw.opening(angles[-1]))

    def _answer(self, frame: Frame, speed: int | None) -> list[Frame]:
        """Return the answers of the servos to a frame, in order."""
        with self._lock:
            if not self._powered:
                return []
            listening = {
                s.get(control_table.ID): s
                for s in self._servos.values()
                if speed in (None, control_table.BAUDS[s.get(control_table.BAUD)])
            }
            if frame.code in (Instruction.SYNC_READ, Instruction.SYNC_WRITE):
                answers = self._answer_all(frame, listening)
            else:
                addressed = listening.values() if frame.id == BROADCAST else filter(None, (listening.get(frame.id),))
                answers = [answer for servo in addressed if (answer := servo.answer(frame))]
            self._record(frame)
            return answers

    def _answer_all(self, frame: Frame, listening: Mapping[int, Servo]) -> list[Frame]:
        if frame.code == Instruction.SYNC_READ:
            address, width, *ids = frame.parameters if len(frame.parameters) > 2 else (0, 0)
            requests = [codec.read(number, address, width) for number in ids if number in listening]
            return [answer for each in requests if (answer := listening[each.id].answer(each))]
        try:
            address, values = codec.sync_written(frame)
        except Malformed:
            return []
        for number, data in values.items():
            if number in listening:
                listening[number].write(address, data)
        return []

    def _record(self, frame: Frame) -> None:
        """Record the goals, if a frame has changed them."""
        if frame.code in SETTING:
            goals = [servo.get(control_table.GOAL) for servo in self._servos.values()]
            if goals != self._goals:
                self._received.append(self._command(goals))
            self._goals = goals
