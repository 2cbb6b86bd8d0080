"""Serial port as drivers need it: whether it exists, raw access to it, and errors that say what to do."""

from __future__ import annotations

import os
import select
import termios
import tty
from pathlib import Path

from embodied.devices.claim import lock_port
from embodied.errors import DeviceInUse, DeviceLost, NoDevice


def require(port: str, *, adapter: str = "its adapter", hint: str = "ls -l /dev/serial/by-id lists the ports") -> None:
    """Check that a driver's serial port exists.

    Args:
        port: path of the port, `/dev/serial/by-id/…`.
        adapter: what has to be plugged in, for the error's help.
        hint: where the user finds the right path, for the error's help.

    Raises:
        NoDevice: no file has this path.
    """
    if not Path(port).exists():
        raise NoDevice(f"serial port {port}", f"is {adapter} plugged in? {hint}")


def cannot_open(port: str, error: Exception) -> DeviceLost:
    """Return the error for a serial port that exists and cannot be opened."""
    return DeviceLost(f"serial port {port} cannot be opened: {error}")


def lost(port: str, error: Exception | None = None) -> DeviceLost:
    """Return the error for an open serial port that is gone."""
    return DeviceLost(f"serial port {port} is gone{f': {error}' if error else ''}; is its adapter plugged in?")


class SerialPort:
    """Serial port, raw: eight bits, no parity, no flow control (termios(3)); locked, so that no two drivers share it.

    Args:
        port: path of the port, `/dev/ttyUSB0`.
        baud: speed that termios has a constant for [bit/s].

    Raises:
        DeviceInUse: another program has the port.
        DeviceLost: the port cannot be opened.
        NoDevice: there is no such port.
    """

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.port = port
        self.descriptor = -1
        self._unread = b""
        require(port)
        try:
            self.descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
            lock_port(self.descriptor, port)
            tty.setraw(self.descriptor)
            attributes = termios.tcgetattr(self.descriptor)
            attributes[4] = attributes[5] = getattr(termios, f"B{baud}")  # input and output speed
            termios.tcsetattr(self.descriptor, termios.TCSANOW, attributes)
        except DeviceInUse:
            self.close()
            raise
        except (OSError, termios.error) as error:
            self.close()
            raise cannot_open(port, error) from error

    def send(self, data: bytes) -> None:
        """Write bytes to the port.

        Raises:
            DeviceLost: the port is gone.
        """
        try:
            os.write(self.descriptor, data)
        except OSError as error:
            raise lost(self.port, error) from error

    def receive(self, timeout: float, end: bytes = b"\n") -> bytes | None:
        """Return the next line without its end; None if it is not complete in time.

        Args:
            timeout: longest wait for each part of the line [s].
            end: bytes that end a line.

        Raises:
            DeviceLost: the port is gone.
        """
        while end not in self._unread:
            if not select.select([self.descriptor], [], [], timeout)[0]:
                return None
            try:
                data = os.read(self.descriptor, 4096)
            except OSError as error:
                raise lost(self.port, error) from error
            if not data:
                raise lost(self.port)
            self._unread += data
        line, _, self._unread = self._unread.partition(end)
        return line

    def close(self) -> None:
        """Close the port, if it is open."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
