"""Transports of MAVLink: UDP with one partner, or a serial line; sending and receiving never wait."""

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

from embodied.devices import serial_port
from embodied.devices.serial_port import SerialPort
from embodied.errors import DeviceLost

_NETWORK = re.compile(r"(udpin|udpout):([\w.-]+):(\d{1,5})")
# A path below /dev/serial/by-path has colons of its own; the last one is before the speed.
_SERIAL = re.compile(r"serial:(/.+):(\d{3,7})")

PIECES_MOST = 500
"""Number of datagrams, or reads of a line, after which `receive` returns: whoever sends without an end stops nobody."""


class Transport(Protocol):
    """One end of a MAVLink connection.

    Attributes:
        datagrams: whether each received piece ends with a whole frame.
    """

    datagrams: bool

    def send(self, data: bytes) -> None:
        """Send a frame, if the partner is known."""

    def receive(self) -> Iterator[bytes]:
        """Yield what has come since the last call, in order; what is beyond `PIECES_MOST` comes with the next call."""

    def wait(self, seconds: float) -> None:
        """Wait until something has come, for up to `seconds`."""

    def close(self) -> None:
        """Close the port or the socket."""


class UdpTransport:
    """Transport of MAVLink over UDP with one partner: an address, or the first sender with a system id.

    Args:
        local: address and port to listen on.
        remote: address and port of the partner; None until it is known.
        system: id of the partner, if its address is not known; until it sends, all senders are received.

    Raises:
        DeviceLost: another program listens there, or this machine has no such address.
    """

    datagrams = True

    def __init__(self, local: tuple[str, int], remote: tuple[str, int] | None = None, system: int = 0) -> None:
        self._remote, self._system = remote, system
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(local)
        except OSError as error:
            self._socket.close()
            taken = " (another program listens there)" if error.errno == errno.EADDRINUSE else ""
            raise DeviceLost(f"udp {local[0]}:{local[1]} cannot be opened: {error.strerror}{taken}") from error
        self._socket.setblocking(False)

    def send(self, data: bytes) -> None:
        """Send a datagram; one that the system does not take is lost, as any datagram may be."""
        if self._remote is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._remote)

    def receive(self) -> Iterator[bytes]:
        """Yield all datagrams of the partner; other senders are ignored once it is known."""
        for _ in range(PIECES_MOST):
            try:
                data, sender = self._socket.recvfrom(65536)
            except ConnectionError:
                continue  # nobody listened where the last one went
            except BlockingIOError:
                return
            if self._remote is None and _system(data) == self._system:
                self._remote = sender
            if self._remote in (None, sender):
                yield data

    def wait(self, seconds: float) -> None:
        """Wait until a datagram has come, for up to `seconds`."""
        select.select([self._socket], [], [], seconds)

    def close(self) -> None:
        """Close the socket and free its port."""
        self._socket.close()


class SerialTransport:
    """Transport of MAVLink over a serial line, or one end of a pseudo terminal.

    Args:
        descriptor: descriptor of the line, raw; it is closed with the transport.
        name: path of the port, for errors.
    """

    datagrams = False

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._name = name
        os.set_blocking(descriptor, False)

    def send(self, data: bytes) -> None:
        """Write a frame; what the line does not take at once is lost, as on any line.

        Raises:
            DeviceLost: the port is gone.
        """
        with contextlib.suppress(BlockingIOError), self._port_errors():
            os.write(self._descriptor, data)

    def receive(self) -> Iterator[bytes]:
        """Yield the bytes that have come.

        Raises:
            DeviceLost: the port is gone.
        """
        for _ in range(PIECES_MOST):
            try:
                with self._port_errors():
                    data = os.read(self._descriptor, 4096)
            except BlockingIOError:
                return
            if not data:
                raise serial_port.lost(self._name)
            yield data

    def wait(self, seconds: float) -> None:
        """Wait until a byte has come, for up to `seconds`."""
        select.select([self._descriptor], [], [], seconds)

    def close(self) -> None:
        """Close the descriptor of the line."""
        os.close(self._descriptor)

    @contextlib.contextmanager
    def _port_errors(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            raise serial_port.lost(self._name, error) from error


def _system(data: bytes) -> int | None:
    """Return the system id in the first frame of a datagram."""
    at = {0xFD: 5, 0xFE: 3}.get(data[0]) if data else None
    return data[at] if at is not None and len(data) > at else None


def problem(url: str) -> str:
    """Return the reason why a transport's url leads to no single vehicle; empty if it may."""
    if _SERIAL.fullmatch(url):
        return ""
    parts = _NETWORK.fullmatch(url)
    if parts is None or not 0 < int(parts[3]) < 65536:
        return f"url must be udpin:ADDRESS:PORT, udpout:ADDRESS:PORT or serial:/dev/PORT:BAUD, got '{url}'"
    try:
        address = ipaddress.IPv4Address(parts[2])
    except ValueError:
        return f"url must have an IPv4 address, got '{parts[2]}' in '{url}'"
    if address.is_multicast or parts[2].endswith(".255"):
        return f"url must lead to one vehicle, no multicast and no broadcast, got '{url}'"
    if parts[1] == "udpout" and address.is_unspecified:
        return f"url must have the address of a vehicle, got 0.0.0.0 in '{url}'"
    return ""


def claim(url: str, system: int) -> str:
    """Return what no second driver may use beside one with this url.

    Args:
        url: where the vehicle is reached.
        system: id of the vehicle; several may be behind one address that is sent to.
    """
    if parts := _SERIAL.fullmatch(url):
        return f"the port {os.path.realpath(parts[1])}"
    return f"the vehicle {system} at {url}" if url.startswith("udpout") else f"the address {url}"


def open_transport(url: str, system: int) -> Transport:
    """Open the MAVLink transport of a url.

    Args:
        url: where the vehicle is reached.
        system: id of the vehicle.

    Raises:
        DeviceLost: the port or socket cannot be opened.
        NoDevice: there is no such serial port.
        ValueError: the url leads to no vehicle.
    """
    if reason := problem(url):
        raise ValueError(reason)
    if parts := _SERIAL.fullmatch(url):
        port = SerialPort(parts[1], int(parts[2]))
        return SerialTransport(port.descriptor, port.port)
    network = _NETWORK.fullmatch(url)
    assert network is not None
    address = network[2], int(network[3])
    return UdpTransport(address, system=system) if network[1] == "udpin" else UdpTransport(("0.0.0.0", 0), address)
