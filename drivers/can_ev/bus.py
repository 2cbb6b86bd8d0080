"""Access to one CAN bus through python-can: classic frames in and out, over a local interface only."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from drivers.can_ev.frame import Frame
from drivers.can_ev.slcan import BITRATES, LINE_MOST, decode
from embodied.devices import serial_port
from embodied.devices.claim import Claim
from embodied.errors import DeviceLost, MissingExtra, NoDevice

INTERFACES = ("socketcan", "slcan")
"""Interfaces of python-can that may be used."""

NETWORK_INTERFACES = ("udp_multicast", "socketcand", "cannelloni")
"""Interfaces of python-can that expose the bus to a network, which anybody there could command."""

SEND_TIMEOUT = 0.25
"""Time in which the bus must take a frame [s]; on a serial port the time that this process slept counts as well."""

RETRY_PERIOD = 0.002
"""Time between two attempts to send while the queue of the network interface is full [s]."""

ADAPTER_TIMEOUT = 2.5
"""Time in which a serial adapter must answer; boards that restart when their port is opened take up to 2 s [s]."""

ANSWER_TIMEOUT = 0.25
"""Time for an adapter to answer one question [s]."""

FRAMES_MOST = 2000
"""Number of frames that are received at a time; a full bus of 1 Mbit/s brings as many in a quarter of a second."""

BUS_OFF = 0x40
"""Bit of an error frame's identifier that says that the controller is off the bus (linux/can/error.h)."""


def problems(interface: str, channel: str, bitrate: int) -> Iterator[str]:
    """Check the settings of a CAN bus (interface, channel) without opening it.

    Args:
        interface: interface of python-can.
        channel: network interface of socketcan, or serial port of slcan.
        bitrate: bit rate for slcan [bit/s].

    Yields:
        a sentence for each problem.
    """
    if interface in NETWORK_INTERFACES:
        yield (
            f"interface must be {' or '.join(INTERFACES)}, got '{interface}', which hands the vehicle's frames to a "
            "network, where anybody may listen and send"
        )
    elif interface not in INTERFACES:
        yield f"interface must be {' or '.join(INTERFACES)}, got '{interface}'"
    if not channel:
        yield "channel is empty: name the network interface of socketcan, `can0`, or the serial port of slcan"
    if interface == "slcan" and bitrate not in BITRATES:
        yield f"bitrate for slcan must be one of {', '.join(map(str, BITRATES))} bit/s, got {bitrate}"
    if interface == "socketcan" and channel and "/" in channel:
        yield f"channel of socketcan must be the name of a network interface, such as `can0`, got '{channel}'"


def require() -> None:
    """Check that python-can and pyserial, which a CAN bus needs, are installed.

    Raises:
        MissingExtra: one of them is not.
    """
    try:
        import can
        import serial
    except ImportError as error:
        raise MissingExtra("python-can and pyserial", "can", "a vehicle on a CAN bus") from error
    del can, serial


class Bus:
    """Open CAN bus of python-can, for classic frames with 11-bit identifiers.

    Args:
        interface: `socketcan`, whose bit rate the system has set, or `slcan`.
        channel: `can0`, or the path of a serial port.
        bitrate: bit rate of the bus, for slcan [bit/s].

    Raises:
        DeviceInUse: another driver has the bus.
        DeviceLost: the bus cannot be opened.
        NoDevice: this machine has no such port or interface.
        MissingExtra: python-can is not installed.
    """

    def __init__(self, interface: str, channel: str, bitrate: int) -> None:
        require()
        import can

        self._can = can
        self._where = f"{channel} ({interface})"
        if interface == "slcan":
            serial_port.require(channel, adapter="the CAN adapter")
        if interface == "socketcan" and channel not in {name for _, name in socket.if_nameindex()}:
            setting = f"ip link set {channel} up type can bitrate {bitrate}"
            raise NoDevice(f"network interface {channel}", f"is the CAN adapter plugged in? Then `{setting}`")
        # A second driver would send the same frames with counters of its own.
        self._claim = Claim(f"the CAN bus {str(Path(channel).resolve()) if interface == 'slcan' else channel}")
        extra = {"bitrate": bitrate, "timeout": 0, "sleep_after_open": 0} if interface == "slcan" else {}
        try:
            self._bus = can.Bus(interface=interface, channel=channel, **extra)  # type: ignore[arg-type]
        except (can.CanError, OSError, ValueError) as error:
            self._claim.release()
            raise DeviceLost(f"the CAN bus at {self._where} cannot be opened: {error}") from error
        if interface == "slcan":
            self._await_adapter(bitrate)
        self.discard()

    def _await_adapter(self, bitrate: int) -> None:
        """Open the channel of a serial adapter again until it is awake: some boards restart when a port is opened.

        An adapter that answers nothing at all, as some do, gets the last order when any board is awake.
        """
        deadline = time.monotonic() + ADAPTER_TIMEOUT
        awake, asleep = False, False
        try:
            while not awake and time.monotonic() < deadline:
                awake = self._answers()
                asleep = asleep or not awake
                if asleep:
                    self._bus.set_bitrate(bitrate)  # type: ignore[attr-defined]
        except (self._can.CanError, OSError) as error:
            raise DeviceLost(f"the CAN bus at {self._where} is gone: {error}; is it plugged in?") from error

    def _answers(self) -> bool:
        """Return whether a serial adapter tells its version, or passes on a frame."""
        port = self._bus.serialPortOrig  # type: ignore[attr-defined]
        port.write(b"V\r")
        deadline = time.monotonic() + ANSWER_TIMEOUT
        data = b""
        while self.wait(max(0.0, deadline - time.monotonic())):
            data = data[-LINE_MOST:] + port.read(port.in_waiting or 1)
            lines = data.decode("latin-1").split("\r")
            if any(line.startswith("V") or decode(line) is not None for line in lines[:-1]):
                return True
        return False

    def receive(self) -> Iterator[Frame | None]:
        """Yield the frames that have come; None stands for something that could not be read as a frame.

        Of an adapter that floods its port no more than `FRAMES_MOST` are read at a time, so that a step ends.

        Raises:
            DeviceLost: the bus is gone.
        """
        for _ in range(FRAMES_MOST):
            if not self.wait(0.0):
                return
            try:
                message = self._bus.recv(0.0)
            except (self._can.CanError, ValueError, IndexError) as error:
                if isinstance(error, self._can.CanError) and not isinstance(error.__cause__, ValueError):
                    raise DeviceLost(f"the CAN bus at {self._where} is gone: {error}") from error
                # Noise on a serial line: python-can keeps what is not ASCII, and would fail on it for ever.
                self.discard()
                yield None
                continue
            if message is None and len(getattr(self._bus, "_buffer", b"")) > LINE_MOST:
                self.discard()  # noise without an end, which python-can would gather for ever
                yield None
            if message is not None and message.is_error_frame and message.arbitration_id & BUS_OFF:
                raise DeviceLost(self._bus_off)
            if message is None or message.is_error_frame or message.is_remote_frame or message.is_extended_id:
                continue
            if message.is_fd:
                yield None
                continue
            whole = len(message.data) == message.dlc
            yield Frame(message.arbitration_id, bytes(message.data)) if whole else None

    def wait(self, seconds: float) -> bool:
        """Wait until something has come, for up to `seconds`.

        Raises:
            DeviceLost: the bus is gone.
        """
        try:
            return bool(select.select([self._bus.fileno()], [], [], seconds)[0])
        except (OSError, ValueError, self._can.CanError) as error:
            raise DeviceLost(f"the CAN bus at {self._where} is gone: {error}") from error

    def send(self, frame: Frame) -> None:
        """Send a frame within `SEND_TIMEOUT`.

        Raises:
            DeviceLost: the bus is gone, or takes nothing any more.
        """
        message = self._can.Message(arbitration_id=frame.identifier, data=frame.data, is_extended_id=False, check=True)
        deadline = time.monotonic() + SEND_TIMEOUT
        while True:
            try:
                self._bus.send(message, timeout=SEND_TIMEOUT)
                return
            except (self._can.CanError, OSError) as error:
                full = errno.ENOBUFS in (getattr(error, "error_code", None), getattr(error, "errno", None))
                if not full:
                    raise DeviceLost(f"the CAN bus at {self._where} takes no frames: {error}") from error
                # A full queue is emptied by the next acknowledgement; only a bus without any stays full.
                if time.monotonic() > deadline:
                    raise DeviceLost(f"{self._bus_off} (its queue stayed full for {SEND_TIMEOUT} s)") from error
                select.select([], [], [], RETRY_PERIOD)

    @property
    def _bus_off(self) -> str:
        return (
            f"the CAN bus at {self._where} is off: nothing acknowledges its frames; see to wiring, termination and "
            "bit rate, then take it down and up again (`ip link set … type can restart-ms 100` does so by itself)"
        )

    def discard(self) -> None:
        """Discard all frames that have come and were not read, since they may be old."""
        if (flush := getattr(self._bus, "flush", None)) is not None:
            with contextlib.suppress(self._can.CanError):
                flush()
            return
        for _ in self.receive():
            pass

    def close(self) -> None:
        """Close the bus, and ignore errors."""
        with contextlib.suppress(self._can.CanError, OSError):
            self._bus.shutdown()
        self._claim.release()
