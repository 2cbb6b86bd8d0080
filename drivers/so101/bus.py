"""The bus as the vendor's SDK speaks it, each answer checked anew: this module alone imports the SDK.

The SDK's own way to read several servos takes answers in any order, and does not say which were broken.
"""

from __future__ import annotations

import contextlib
import select
import termios
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial.tools.list_ports
from scservo_sdk import COMM_RX_CORRUPT, COMM_SUCCESS, PortHandler, sms_sts

from drivers.so101 import codec
from drivers.so101.codec import Malformed, Status
from drivers.so101.control_table import Block, Register
from embodied.devices import serial_port

ANSWER = 0.05
"""An answer that takes longer is not waited for [s], as in the SDK: six servos say theirs in 1 ms, adapters add some,
and a machine that is busy more."""

STUCK = 1.0
"""A port that does not take what is written for so long is no more [s]."""

QUIET, WAITS = 0.002, 10
"""After an answer that was broken the line has to be silent for so long [s]; waited for so many times."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one servo answered.

    Attributes:
        status: what it says is wrong with it.
        counts: of the registers that were asked for.
    """

    status: Status
    counts: tuple[int, ...]


class Bus:
    """An open serial port with servos at it.

    Args:
        port: its path.
        baud: its speed [bit/s].

    Attributes:
        rejected: answers that were bent, cut short, repeated, or not from who was asked.
        silent: servos that gave no whole answer when all were last asked.

    Raises:
        DeviceLost: it cannot be opened, or another program has it.
        NoDevice: there is none of that name.
    """

    def __init__(self, port: str, baud: int) -> None:
        self.rejected = 0
        self.silent: tuple[int, ...] = ()
        self._name = port
        self._clean = False
        serial_port.require(port, hint="`embodied driver scan so101` lists the ports with an arm")
        self._port: Any = PortHandler(port)
        try:
            self._port.setBaudRate(baud)
            # Else two programs would answer each other's questions.
            self._port.ser.exclusive = True
            # The SDK asks again and again whether something came; like this the system tells it.
            self._port.ser.timeout = ANSWER / 4
            self._port.ser.write_timeout = STUCK
        except (OSError, termios.error) as error:
            self.close()
            raise serial_port.cannot_open(port, error) from error
        self._port.setPacketTimeout = lambda _: self._port.setPacketTimeoutMillis(1e3 * ANSWER)
        self._sdk: Any = sms_sts(self._port)

    @staticmethod
    def ports() -> list[tuple[str, tuple[int, int], str]]:
        """Serial ports with a USB adapter: path, vendor's and product's number, serial number or empty."""
        found = serial.tools.list_ports.comports()
        return [(each.device, (each.vid, each.pid), each.serial_number or "") for each in found if each.vid is not None]

    @classmethod
    def adapter(cls, port: str) -> str:
        """Serial number of the USB adapter at a port, to which a link may lead; empty where there is none."""
        path = str(Path(port).resolve())
        return next((number for device, _, number in cls.ports() if device == path), "")

    def close(self) -> None:
        """Let go of the port."""
        if self._port.ser is not None:
            self._port.closePort()

    def ping(self, servo: int) -> int | None:
        """Model number of a servo; None if nobody of this id answers."""
        with self._asking():
            model, result, _ = self._sdk.ping(servo)
            return int(model) if self._took(result) else None

    def read(self, servo: int, what: Block | Register) -> Reading | None:
        """What stands in a servo's memory; None if it gave no whole answer."""
        width = what.width
        with self._asking():
            result = self._sdk.readTx(servo, what.address, width)
            if result == COMM_SUCCESS:
                packet, result = self._sdk.rxPacket()
            if not self._took(result):
                return None
            try:
                frame = codec.answers(bytes(packet), (servo,), width)[0]
            except Malformed:
                self._reject()
                return None
        return _reading(frame, what)

    def write(self, servo: int, what: Register, count: int) -> bool:
        """Write a register; whether the servo acknowledged it."""
        data = what.pack(count)
        with self._asking():
            result, _ = self._sdk.writeTxRx(servo, what.address, len(data), list(data))
            return self._took(result)

    def read_all(self, ids: Sequence[int], what: Block) -> list[Reading] | None:
        """The same registers of several servos at once; None unless all gave a whole answer, in order."""
        with self._asking():
            result = self._sdk.syncReadTx(what.address, what.width, list(ids), len(ids))
            data = []
            if result == COMM_SUCCESS:
                result, data = self._sdk.syncReadRx(what.width, len(ids))
            came = bytes(data)
            try:
                frames = codec.answers(came, ids, what.width)
            except Malformed:
                self.silent = _silent(came, ids)
                self._clean = False
                self.rejected += bool(came)
                return None
            self._took(result)
        self.silent = ()
        return [_reading(frame, what) for frame in frames]

    def write_all(self, what: Block | Register, counts: Mapping[int, Sequence[int]]) -> None:
        """Write the same registers of several servos in one frame, which none acknowledges."""
        registers = what.registers if isinstance(what, Block) else (what,)
        block = Block(registers)
        data = [byte for servo, each in counts.items() for byte in (servo, *block.pack(each))]
        with self._asking():
            self._took(self._sdk.syncWriteTxOnly(block.address, block.width, data, len(data)))

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            self._settle()
            yield
        except (OSError, termios.error) as error:
            raise serial_port.lost(self._name, error) from error

    def _settle(self) -> None:
        """Nothing that was said before may be taken for an answer to what is asked next."""
        if self._clean:
            # Nobody asked for what has come since: it is said twice.
            self.rejected += bool(self._port.getBytesAvailable())
            return
        for _ in range(WAITS):
            self._port.clearPort()
            if not select.select([self._port.ser.fileno()], [], [], QUIET)[0]:
                break
        self._clean = True

    def _took(self, result: int) -> bool:
        if result == COMM_SUCCESS:
            return True
        self._clean = False
        self.rejected += result == COMM_RX_CORRUPT
        return False

    def _reject(self) -> None:
        self._clean = False
        self.rejected += 1


def _reading(frame: codec.Frame, what: Block | Register) -> Reading:
    block = what if isinstance(what, Block) else Block((what,))
    return Reading(Status(frame.code), block.unpack(frame.parameters))


def _silent(data: bytes, ids: Sequence[int]) -> tuple[int, ...]:
    heard = {frame.id for frame in codec.Cutter().feed(data)}
    return tuple(servo for servo in ids if servo not in heard)
