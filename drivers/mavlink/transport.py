"""What MAVLink travels on: datagrams to one partner, or a serial line; neither ever waits."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import select
import socket
from collections.abc import Iterator
from typing import Protocol

from embodied.devices.serial_port import SerialPort
from embodied.errors import DeviceLost

_NETWORK = re.compile(r"(udpin|udpout):([\w.-]+):(\d{1,5})")
_SERIAL = re.compile(r"serial:(/[^:]+):(\d{3,7})")


class Wire(Protocol):
    """Either end.

    Attributes:
        whole: whether frames end where what was received ends.
    """

    whole: bool

    def send(self, data: bytes) -> None:
        """Send it, if there is anybody to send it to."""

    def receive(self) -> Iterator[bytes]:
        """What came since it was last asked for, in order."""

    def wait(self, seconds: float) -> None:
        """Until something comes, or so long [s]."""

    def close(self) -> None:
        """Give it back."""


class Datagrams:
    """UDP, with one partner: the one that is named, or the first from which a system is heard.

    Args:
        near: address and port to listen at.
        far: of the partner; None until it is heard.
        system: id of who it is, where it is not named; until then everybody is listened to.

    Raises:
        DeviceLost: somebody else listens there, or it is no address of this machine.
    """

    whole = True

    def __init__(self, near: tuple[str, int], far: tuple[str, int] | None = None, system: int = 0) -> None:
        self._far, self._system = far, system
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(near)
        except OSError as error:
            self._socket.close()
            taken = " (another program listens there)" if error.errno == errno.EADDRINUSE else ""
            raise DeviceLost(f"udp {near[0]}:{near[1]} cannot be opened: {error.strerror}{taken}") from error
        self._socket.setblocking(False)

    @property
    def near(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes) -> None:
        """Send a datagram; one that the system does not take is lost, as any may be."""
        if self._far is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._far)

    def receive(self) -> Iterator[bytes]:
        """Every datagram of the partner; others are not looked at any more once it was heard."""
        while True:
            try:
                data, sender = self._socket.recvfrom(65536)
            except ConnectionError:
                continue  # nobody listened where the last one went
            except BlockingIOError:
                return
            if self._far is None and _sender(data) == self._system:
                self._far = sender
            if self._far in (None, sender):
                yield data

    def wait(self, seconds: float) -> None:
        """Until a datagram comes."""
        select.select([self._socket], [], [], seconds)

    def close(self) -> None:
        """Free the port."""
        self._socket.close()


class Bytes:
    """A serial line.

    Args:
        descriptor: of it, raw; closed with it.
        name: of the port.
    """

    whole = False

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._name = name
        os.set_blocking(descriptor, False)

    def send(self, data: bytes) -> None:
        """Write a frame; what the line does not take in time is lost, as on any line.

        Raises:
            DeviceLost: the port is gone.
        """
        with contextlib.suppress(BlockingIOError), self._there():
            os.write(self._descriptor, data)

    def receive(self) -> Iterator[bytes]:
        """The bytes that are there.

        Raises:
            DeviceLost: the port is gone.
        """
        while True:
            try:
                with self._there():
                    data = os.read(self._descriptor, 4096)
            except BlockingIOError:
                return
            if not data:
                raise DeviceLost(f"the serial port {self._name} is gone")
            yield data

    def wait(self, seconds: float) -> None:
        """Until a byte comes."""
        select.select([self._descriptor], [], [], seconds)

    def close(self) -> None:
        """Give the port back."""
        os.close(self._descriptor)

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            raise DeviceLost(f"the serial port {self._name} is gone: {error}") from error


def _sender(data: bytes) -> int | None:
    """Id of the system that a datagram's first frame says it is from."""
    at = {0xFD: 5, 0xFE: 3}.get(data[0]) if data else None
    return data[at] if at is not None and len(data) > at else None


def wrong(url: str) -> str:
    """Why a url leads to no vehicle; empty if it may."""
    if _SERIAL.fullmatch(url):
        return ""
    parts = _NETWORK.fullmatch(url)
    if parts is None or not 0 < int(parts[3]) < 65536:
        return f"url is '{url}', expected udpin:ADDRESS:PORT, udpout:ADDRESS:PORT or serial:/dev/PORT:BAUD"
    try:
        address = ipaddress.IPv4Address(parts[2])
    except ValueError:
        return f"url is '{url}', and '{parts[2]}' is no IPv4 address"
    if address.is_multicast or parts[2].endswith(".255"):
        return f"url is '{url}', and a vehicle is spoken to alone: no multicast, no broadcast"
    if parts[1] == "udpout" and address.is_unspecified:
        return f"url is '{url}', and 0.0.0.0 is nobody's address"
    return ""


def opened(url: str, system: int) -> Wire:
    """The wire of a url, to a system.

    Raises:
        DeviceLost: it cannot be opened.
        ValueError: it is no url of a vehicle.
    """
    if reason := wrong(url):
        raise ValueError(reason)
    if parts := _SERIAL.fullmatch(url):
        port = SerialPort(parts[1], int(parts[2]))
        return Bytes(port.descriptor, port.port)
    network = _NETWORK.fullmatch(url)
    assert network is not None
    where = network[2], int(network[3])
    return Datagrams(where, system=system) if network[1] == "udpin" else Datagrams(("0.0.0.0", 0), where)
