"""Servo bus of the SO-101 through the vendor's SDK, with a check of every answer; only this module imports the SDK.

Where the SDK reads several servos it accepts answers in any order, and does not report which were damaged.
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

from drivers.so101 import codec, control_table
from drivers.so101.codec import Malformed, Status
from drivers.so101.control_table import Block, Register
from embodied.devices import serial_port
from embodied.devices.claim import lock_port
from embodied.errors import DeviceInUse

ANSWER_TIMEOUT = 0.05
"""Longest wait for an answer [s], as in the SDK: six servos answer in 1 ms, an adapter and a busy machine add to it."""

WRITE_TIMEOUT = 1.0
"""Longest wait for a port to accept bytes [s]."""

QUIET = 0.002
"""Silence of the line after a damaged answer, before the next request [s]."""

QUIET_TRIES = 10
"""Number of times that this silence is waited for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Answer of a servo to a read on the bus, through the vendor's SDK.

    Attributes:
        status: faults that it reports.
        counts: counts of the registers that were read.
    """

    status: Status
    counts: tuple[int, ...]


class Bus:
    """Open serial port with servos on it, through the vendor's SDK.

    Args:
        port: path of the port.
        baud: speed of the bus [bit/s].

    Attributes:
        rejected: number of answers that were damaged, truncated, repeated, or from another servo.
        silent: servos without a valid answer to the last read of all.

    Raises:
        DeviceInUse: another program has the port.
        DeviceLost: the port cannot be opened.
        NoDevice: there is no such port.
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
            # Otherwise two programs could read each other's answers.
            lock_port(self._port.ser.fileno(), port)
            # The SDK polls for bytes without a pause; with a time-out the read waits in the system instead.
            self._port.ser.timeout = ANSWER_TIMEOUT / 4
            self._port.ser.write_timeout = WRITE_TIMEOUT
        except DeviceInUse:
            self.close()
            raise
        except (OSError, termios.error) as error:
            self.close()
            raise serial_port.cannot_open(port, error) from error
        self._port.setPacketTimeout = lambda _: self._port.setPacketTimeoutMillis(1e3 * ANSWER_TIMEOUT)
        self._sdk: Any = sms_sts(self._port)

    @staticmethod
    def ports() -> list[tuple[str, tuple[int, int], str]]:
        """List the serial ports with a USB adapter: path, vendor and product id, serial number or empty."""
        ports = serial.tools.list_ports.comports()
        return [(each.device, (each.vid, each.pid), each.serial_number or "") for each in ports if each.vid is not None]

    @classmethod
    def adapter(cls, port: str) -> str:
        """Return the serial number of the USB adapter at a port or a link to one; empty for none."""
        path = str(Path(port).resolve())
        return next((number for device, _, number in cls.ports() if device == path), "")

    def close(self) -> None:
        """Close the port, if it is open."""
        if self._port.ser is not None:
            self._port.closePort()

    def ping(self, servo: int) -> int | None:
        """Return the model number of a servo; None without a valid answer, which the SDK's own ping does not check."""
        reading = self.read(servo, control_table.MODEL)
        return None if reading is None else reading.counts[0]

    def read(self, servo: int, what: Block | Register) -> Reading | None:
        """Read registers of a servo; None without a valid answer."""
        with self._transaction():
            frame = self._answer(self._sdk.readTx(servo, what.address, what.width), servo, what.width)
        return None if frame is None else _reading(frame, what)

    def write(self, servo: int, what: Register, count: int) -> bool:
        """Write a register; return whether the servo acknowledged it."""
        data = what.pack(count)
        with self._transaction():
            result = self._sdk.writeTxOnly(servo, what.address, len(data), list(data))
            return self._answer(result, servo, 0) is not None

    def read_all(self, ids: Sequence[int], what: Block) -> list[Reading] | None:
        """Read the same registers of several servos at once; None unless all gave a valid answer, in order."""
        with self._transaction():
            result = self._sdk.syncReadTx(what.address, what.width, list(ids), len(ids))
            data = []
            if result == COMM_SUCCESS:
                result, data = self._sdk.syncReadRx(what.width, len(ids))
            received = bytes(data)
            try:
                frames = codec.answers(received, ids, what.width)
            except Malformed:
                self.silent = _silent(received, ids)
                self._clean = False
                self.rejected += bool(received)
                return None
            self._succeeded(result)
        self.silent = ()
        return [_reading(frame, what) for frame in frames]

    def write_all(self, what: Block | Register, counts: Mapping[int, Sequence[int]]) -> None:
        """Write the same registers of several servos in one frame, without acknowledgement."""
        registers = what.registers if isinstance(what, Block) else (what,)
        block = Block(registers)
        data = [byte for servo, each in counts.items() for byte in (servo, *block.pack(each))]
        with self._transaction():
            self._succeeded(self._sdk.syncWriteTxOnly(block.address, block.width, data, len(data)))

    def _answer(self, sent: int, servo: int, width: int) -> codec.Frame | None:
        """Receive the answer of one servo; None unless it is valid.

        It is received as those of a sync read, in bounded time: where the SDK receives a single one, it skips bytes
        before a header for as long as there are any, and does not check its length.

        Args:
            sent: result of the SDK for the request.
            servo: id of the servo.
            width: number of bytes that were asked for [B].
        """
        result, data = sent, []
        if sent == COMM_SUCCESS:
            result, data = self._sdk.syncReadRx(width, 1)
        if not self._succeeded(result):
            return None
        try:
            return codec.answers(bytes(data), (servo,), width)[0]
        except Malformed:
            self._clean = False
            self.rejected += 1
            return None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._settle()
            yield
        except (OSError, termios.error) as error:
            raise serial_port.lost(self._name, error) from error

    def _settle(self) -> None:
        """Drop bytes that arrived before the next request, so that none is taken for its answer."""
        if self._clean:
            # Bytes without a request: an answer was sent twice.
            self.rejected += bool(self._port.getBytesAvailable())
            return
        for _ in range(QUIET_TRIES):
            self._port.clearPort()
            if not select.select([self._port.ser.fileno()], [], [], QUIET)[0]:
                break
        self._clean = True

    def _succeeded(self, result: int) -> bool:
        if result == COMM_SUCCESS:
            return True
        self._clean = False
        self.rejected += result == COMM_RX_CORRUPT
        return False


def _reading(frame: codec.Frame, what: Block | Register) -> Reading:
    block = what if isinstance(what, Block) else Block((what,))
    return Reading(Status(frame.code), block.unpack(frame.parameters))


def _silent(data: bytes, ids: Sequence[int]) -> tuple[int, ...]:
    answered = {frame.id for frame in codec.FrameParser().feed(data)}
    return tuple(servo for servo in ids if servo not in answered)
