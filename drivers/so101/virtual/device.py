"""Virtual SO-101: a bus with six servos that the vendor's SDK accepts as real ones, and an arm of the world behind."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from drivers.so101 import control_table, jaw
from drivers.so101.calibration import JointCalibration
from drivers.so101.codec import Frame, Instruction
from drivers.so101.control_table import TICK
from drivers.so101.servos import IDS, JOINTS, NAMES, ServoScale
from drivers.so101.virtual.bus_server import BusServer
from drivers.so101.virtual.dispatch import dispatch
from drivers.so101.virtual.servo import SUPPLY, Servo
from embodied.bodies import arm, body_claim
from embodied.clock import rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import RECEIVED_MOST, VirtualDevice
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

JAMMED_SERVO = 3
"""Id of the servo whose joint is held by something that it cannot move."""

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
    faults = ("over-temperature", "overload", "low voltage", "power loss")

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
        # The body's gripper opens less wide than the jaw of the servo turns.
        self._widest = min(jaw.angle(self.robot.opening), jaw.WIDEST)
        self._received: deque[Command] = deque(maxlen=RECEIVED_MOST)
        self._powered = True
        self._mute: set[int] = set()
        self._slip = np.zeros(len(IDS))
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
            angles = self._angles([servo.raw for servo in self._servos.values()])
            angles[number] = angle
            self._servos[IDS[number]].hand = float((self._scale.to_ticks(angles) + self._slip)[number])

    def slip(self, joint: str, ticks: int) -> None:
        """Turn the shaft of a servo on its joint by some ticks, as if it were taken off and put on again."""
        with self._lock:
            number = NAMES.index(joint)
            self._slip[number] += ticks
            self._servos[IDS[number]].slip(ticks)

    def receive(self, frame: Frame) -> None:
        """Carry out a frame that another program sends on the bus, through an adapter of its own."""
        self._answer(frame, control_table.BAUDS[0])

    def mute(self, *names: str) -> None:
        """Let the servos of these joints, or `gripper`, answer nothing, and all others again."""
        with self._lock:
            self._mute = {IDS[NAMES.index(name)] for name in names}

    def replace(self, serial: str) -> None:
        """Put another arm of the same model in the place of this one: its motors are off, its port is a new device."""
        self.unplug()
        with self._lock:
            self.serial = serial
            for servo in self._servos.values():
                servo.engrave(control_table.PLATE + serial.encode("ascii"))
                servo.restart()
        self.plug()

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
        """Overheat the shoulder's motor, hold the elbow, lower the supply, or cut it: then the gears hold."""
        with self._lock:
            match fault:
                case "over-temperature":
                    self._servos[OVERHEATING_SERVO].heat(OVERHEATED)
                case "overload":
                    self._servos[JAMMED_SERVO].jammed = True
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
        """Cool the motor, free the joint, restore the supply; servos that had none restart, with their motors off."""
        with self._lock:
            for servo in self._servos.values():
                servo.jammed = False
                servo.supply = SUPPLY
                servo.heat()
                if not self._powered:
                    servo.restart()
            self._powered = True

    def _measure(self) -> None:
        joints, gripper = self._body.read()
        if np.isfinite(joints.position).all():
            self._position = joints.position
        torque = np.zeros_like(joints.position) if joints.effort is None else joints.effort
        slope = jaw.slope(jaw.angle(gripper.width))
        ticks = self._scale.to_ticks(np.append(self._position, self._jaw(gripper.width))) + self._slip
        speeds = self._scale.directed(np.append(joints.velocity, gripper.speed / slope)) / TICK
        # The force is positive when the gripper closes, while its angle decreases.
        duties = self._scale.directed(np.append(torque, -gripper.force * slope)) / control_table.STALL
        measured = np.nan_to_num((ticks, speeds, duties)).T.tolist()
        for servo, (raw, speed, duty) in zip(self._servos.values(), measured, strict=True):
            servo.raw, servo.speed, servo.duty = raw, speed, min(max(duty, -1.0), 1.0)

    def _jaw(self, width: float) -> float:
        """Return the angle of the jaw [rad] at an opening [m]; beyond the body's widest opening, that of its servo."""
        angle = jaw.angle(width)
        servo = float(self._angles([servo.target for servo in self._servos.values()])[-1])
        return min(servo, jaw.OPEN) if angle > self._widest - ANGLE_TOLERANCE and servo > angle else angle

    def _angles(self, ticks: Sequence[float]) -> Vector:
        """Return the angles of the five joints and of the jaw, shape (6,) [rad], at positions of the shafts."""
        return self._scale.angles(np.array(ticks) - self._slip)

    def _command(self, ticks: Sequence[float]) -> JointCommand:
        angles = self._angles(ticks)
        return JointCommand(position=angles[:-1], gripper=jaw.opening(angles[-1]))

    def _answer(self, frame: Frame, speed: int) -> list[Frame]:
        """Return the answers of the servos to a frame that came at a speed of the bus [bit/s], in order."""
        with self._lock:
            if not self._powered:
                return []
            listening = [s for s in self._servos.values() if speed == control_table.BAUDS[s.get(control_table.BAUD)]]
            answers = dispatch(frame, listening)
            self._record(frame)
            return [answer for answer in answers if answer.id not in self._mute]

    def _record(self, frame: Frame) -> None:
        """Record the goals, if a frame has changed them."""
        if frame.code in SETTING:
            goals = [servo.get(control_table.GOAL) for servo in self._servos.values()]
            if goals != self._goals:
                self._received.append(self._command(goals))
            self._goals = goals
