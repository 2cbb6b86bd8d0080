"""Reports that an xArm's control box streams on its report ports, as bytes; layouts as the vendor's SDK reads them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.xarm.codec import SLOTS, floats, seven


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Report that the control box streams periodically, as bytes and back.

    Attributes:
        axes: number of joints of the arm.
        kind: type number of the arm.
        state, mode, count, error, warning: values of the registers of these names.
        position: joint positions [rad].
        velocity: joint velocities [rad/s].
        effort: joint torques [N·m].
        pose: pose of the flange, x, y, z [mm] and roll, pitch, yaw [rad].
        enabled: whether the motors are on, and so the brakes released.
        firmware: version of the firmware, three numbers.
        servos: state and code of each servo.
        temperature: temperature of each motor [degC].
        voltage: supply voltage of each motor [V].
        counter: number of this report.
    """

    axes: int
    kind: int
    state: int
    mode: int
    count: int
    error: int
    warning: int
    position: Sequence[float]
    velocity: Sequence[float]
    effort: Sequence[float]
    pose: Sequence[float]
    enabled: bool
    firmware: str
    servos: Sequence[tuple[int, int]] = field(default_factory=tuple)
    temperature: Sequence[int] = field(default_factory=tuple)
    voltage: Sequence[float] = field(default_factory=tuple)
    counter: int = 0

    def pack(self, port: int) -> bytes:
        """Return the bytes that a report port streams: 30001, 30002 or 30003.

        Raises:
            KeyError: there is no such report port.
        """
        makers = {30001: self._normal, 30002: self._rich, 30003: self._real}
        body = makers[port]()
        return struct.pack(">I", len(body) + 4) + body

    def _common(self) -> bytes:
        head = struct.pack(">BH", self.mode << 4 | self.state, self.count)
        return head + floats(seven(self.position)) + floats(self.pose) + floats(seven(self.effort))

    def _real(self) -> bytes:
        return self._common() + bytes(48)

    def _normal(self) -> bytes:
        motors = (1 << self.axes) - 1 if self.enabled else 0
        faults = bytes([motors, motors, self.error, self.warning])
        # No offset and no load at the flange; middling sensitivity; gravity along -z.
        return self._common() + faults + floats([0.0] * 10) + bytes([3, 3]) + floats([0.0, 0.0, -1.0])

    def _rich(self) -> bytes:
        data = bytearray(583)
        plain = self._normal()
        data[: len(plain)] = plain
        data[141:143] = bytes([self.kind, self.axes])
        data[147 : 147 + 30] = f"v{self.firmware}".encode().ljust(30, b"\0")[:30]
        data[177:197] = floats([10000.0, 1.0, 50000.0, 0.1, 1000.0])  # jerk, acceleration and speed of the flange
        data[197:217] = floats([286.5, 0.01, 20.0, 0.0001, 3.1416])  # of the joints
        data[217:225] = floats([2.3, 2.7])
        servos = [*self.servos, *([(0, 0)] * (SLOTS - len(self.servos)))]
        data[225:239] = bytes(value for pair in servos for value in pair)
        data[241:248] = struct.pack(">7b", *map(int, seven(self.temperature)))
        data[252:280] = floats(seven(self.velocity))
        data[280:284] = struct.pack(">I", self.counter)
        data[311] = 1  # collision detection is on
        data[337:351] = struct.pack(">7H", *(round(100 * volts) for volts in seven(self.voltage)))
        return bytes(data)
