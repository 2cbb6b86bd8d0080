"""One CAN bus through python-can: classic frames in and out, and never a network."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator

from drivers.can_ev.codec import Frame
from drivers.can_ev.virtual.slcan import BITRATES
from embodied.devices import serial_port
from embodied.errors import DeviceLost, MissingExtra, NoDevice

INTERFACES = ("socketcan", "slcan")

ON_NETWORKS = ("udp_multicast", "socketcand", "cannelloni")
"""Interfaces of python-can that hand commands to whoever is on a network."""

SENT = 0.25
"""A frame that is not taken by then will not be [s]; a serial port counts the time that nobody ran as well."""


def refusals(interface: str, channel: str, bitrate: int) -> Iterator[str]:
    """What is wrong with the settings of a bus, a sentence each, without opening it."""
    if interface in ON_NETWORKS:
        yield (
            f"interface is '{interface}', which hands the vehicle's frames to a network, where anybody may listen and "
            f"send: use {' or '.join(INTERFACES)}"
        )
    elif interface not in INTERFACES:
        yield f"interface is '{interface}', and there are {' and '.join(INTERFACES)}"
    if not channel:
        yield "channel is empty: name the network interface of socketcan, `can0`, or the serial port of slcan"
    if interface == "slcan" and bitrate not in BITRATES:
        yield f"bitrate is {bitrate}, and slcan knows {', '.join(map(str, BITRATES))} bit/s"
    if interface == "socketcan" and channel and "/" in channel:
        yield f"channel is '{channel}', and socketcan has names of network interfaces, such as `can0`"


def installed() -> None:
    """Whether python-can is there.

    Raises:
        MissingExtra: it, or its serial port, is not.
    """
    try:
        import can
        import serial
    except ImportError as error:
        raise MissingExtra("python-can and pyserial", "can", "a vehicle on a CAN bus") from error
    del can, serial


class Bus:
    """An open bus.

    Args:
        interface: `socketcan`, whose bit rate the system has set, or `slcan`.
        channel: `can0`, or the path of a serial port.
        bitrate: of the bus, for slcan [bit/s].

    Raises:
        DeviceLost: it cannot be opened.
        NoDevice: this machine has no such port or interface.
        MissingExtra: python-can is not installed.
    """

    def __init__(self, interface: str, channel: str, bitrate: int) -> None:
        installed()
        import can

        self._can = can
        self._where = f"{channel} ({interface})"
        if interface == "slcan":
            serial_port.require(channel, adapter="the CAN adapter")
        if interface == "socketcan" and channel not in {name for _, name in socket.if_nameindex()}:
            setting = f"ip link set {channel} up type can bitrate {bitrate}"
            raise NoDevice(f"network interface {channel}", f"is the CAN adapter plugged in? Then `{setting}`")
        extra = {"bitrate": bitrate, "timeout": 0, "sleep_after_open": 0} if interface == "slcan" else {}
        try:
            self._bus = can.Bus(interface=interface, channel=channel, **extra)  # type: ignore[arg-type]
        except (can.CanError, OSError, ValueError) as error:
            raise DeviceLost(f"the CAN bus at {self._where} cannot be opened: {error}") from error
        self.discard()

    def receive(self) -> Iterator[Frame | None]:
        """All that has come; None stands for what could not be read as a frame.

        Raises:
            DeviceLost: the bus is gone.
        """
        while self.wait(0.0):
            try:
                message = self._bus.recv(0.0)
            except (self._can.CanError, ValueError, IndexError) as error:
                if isinstance(error, self._can.CanError) and not isinstance(error.__cause__, ValueError):
                    raise DeviceLost(f"the CAN bus at {self._where} is gone: {error}") from error
                # Noise on a serial line: python-can keeps what is not ASCII, and would stumble over it for ever.
                self.discard()
                yield None
                continue
            if message is None or message.is_error_frame or message.is_remote_frame or message.is_extended_id:
                continue
            whole = len(message.data) == message.dlc
            yield Frame(message.arbitration_id, bytes(message.data)) if whole else None

    def wait(self, seconds: float) -> bool:
        """Wait until something has come, at most so long [s].

        Raises:
            DeviceLost: the bus is gone.
        """
        try:
            return bool(select.select([self._bus.fileno()], [], [], seconds)[0])
        except (OSError, ValueError, self._can.CanError) as error:
            raise DeviceLost(f"the CAN bus at {self._where} is gone: {error}") from error

    def send(self, frame: Frame) -> None:
        """Send a frame.

        Raises:
            DeviceLost: the bus is gone, or takes nothing any more.
        """
        message = self._can.Message(arbitration_id=frame.identifier, data=frame.data, is_extended_id=False, check=True)
        try:
            self._bus.send(message, timeout=SENT)
        except (self._can.CanError, OSError) as error:
            raise DeviceLost(f"the CAN bus at {self._where} takes no frames: {error}") from error

    def discard(self) -> None:
        """Forget what has come and was not read: it may be old."""
        if (flush := getattr(self._bus, "flush", None)) is not None:
            with contextlib.suppress(self._can.CanError):
                flush()
            return
        for _ in self.receive():
            pass

    def close(self) -> None:
        """Leave the bus."""
        with contextlib.suppress(self._can.CanError, OSError):
            self._bus.shutdown()
