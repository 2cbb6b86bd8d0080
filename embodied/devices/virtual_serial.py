"""A serial line, and the far end of one that is not there: a pseudo terminal that looks like a port to a driver."""

from __future__ import annotations

import os
import pty
import select
import termios
import tty
from contextlib import suppress
from pathlib import Path

from embodied.devices.disturbance import ALL, EVERY, Disturbance, byte_disturber
from embodied.devices.virtual import Virtual
from embodied.errors import DeviceLost, LinkFailed, NoDevice


class Line:
    """One serial port, raw: eight bits, no parity, no flow control (termios(3)).

    Args:
        port: such as `/dev/ttyUSB0`.
        baud: bits a second, one of those that termios knows.

    Raises:
        DeviceLost: it cannot be opened.
        NoDevice: there is none of that name.
    """

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.port = port
        self.descriptor = -1
        self._unread = b""
        if not Path(port).exists():
            raise NoDevice(f"serial port {port}", "is it plugged in, and called so in /dev/serial/by-id?")
        try:
            self.descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.descriptor)
            about = termios.tcgetattr(self.descriptor)
            about[4] = about[5] = getattr(termios, f"B{baud}")
            termios.tcsetattr(self.descriptor, termios.TCSANOW, about)
        except (OSError, termios.error) as error:
            self.close()
            raise DeviceLost(f"the serial port {port} cannot be opened: {error}") from error

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            DeviceLost: the port is gone.
        """
        try:
            os.write(self.descriptor, data)
        except OSError as error:
            raise DeviceLost(f"the serial port {self.port} is gone: {error}") from error

    def receive(self, within: float, end: bytes = b"\n") -> bytes | None:
        """The next line, without its end; None if there is none in time.

        Args:
            within: how long to wait for each part of it [s].
            end: of a line.

        Raises:
            DeviceLost: the port is gone.
        """
        while end not in self._unread:
            if not select.select([self.descriptor], [], [], within)[0]:
                return None
            try:
                data = os.read(self.descriptor, 4096)
            except OSError as error:
                raise DeviceLost(f"the serial port {self.port} is gone: {error}") from error
            if not data:
                raise DeviceLost(f"the serial port {self.port} is gone")
            self._unread += data
        line, _, self._unread = self._unread.partition(end)
        return line

    def close(self) -> None:
        """Give the port back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


def lead(link: str, name: str) -> None:
    """Have a path lead to a pseudo terminal, whose own name is drawn by the system.

    Args:
        link: the path; one that leads nowhere any more is taken over.
        name: of the terminal.

    Raises:
        LinkFailed: something that is no link stands at the path, or another far side is there.
    """
    path = Path(link)
    if path.is_symlink() and str(path.readlink()) == name:
        # It was left by one that was killed, whose terminal this is now.
        return
    if path.is_symlink() and not path.exists():
        path.unlink(missing_ok=True)
    try:
        path.symlink_to(name)
    except OSError as error:
        raise LinkFailed(
            f"{path} cannot lead to the virtual device ({error.strerror}): choose another link, or remove it if "
            "nobody serves it any more"
        ) from error


class FarLine(Virtual):
    """Base of a far side on a pseudo terminal, with what can go wrong on such a line; its `step` takes what came.

    Attributes:
        link: path that leads to its port; empty for none.
    """

    link: str = ""
    disturbances = ALL

    def open(self) -> None:
        """Make the line; `address` is what a driver takes for a serial port.

        Raises:
            LinkFailed: there is something else where the link is to be.
        """
        # The near end is kept open, so that a driver may come and go.
        self._far, self._near = pty.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        self.address = os.ttyname(self._near)
        if self.link:
            try:
                lead(self.link, self.address)
            except LinkFailed:
                self._shut()
                raise
            self.address = self.link
        self._silent = False
        self._disturber = byte_disturber()

    def received(self) -> bytes:
        """What came since it was last asked for; nothing while it is unplugged."""
        try:
            data = os.read(self._far, 65536)
        except BlockingIOError:
            return b""
        return b"" if self._silent else data

    def send(self, frame: bytes) -> None:
        """Send a frame, and let happen to it what is to happen."""
        if self._silent:
            return
        with suppress(BlockingIOError):
            os.write(self._far, b"".join(self._disturber.apply(frame)))

    def close(self) -> None:
        """The line is gone."""
        if self._far >= 0 and self.link:
            Path(self.link).unlink(missing_ok=True)
        self._shut()

    def _shut(self) -> None:
        for end in (self._far, self._near):
            if end >= 0:
                os.close(end)
        self._far = self._near = -1

    def unplug(self) -> None:
        """Nothing comes through."""
        self._silent = True

    def plug(self) -> None:
        """It does again."""
        self._silent = False

    freeze, thaw = unplug, plug

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth frame."""
        self._disturber.set(how, every)
