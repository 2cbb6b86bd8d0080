"""Virtual device on a serial line: one end of a pseudo terminal, whose other end a driver opens as a serial port."""

from __future__ import annotations

import os
import pty
import tty
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from embodied.devices.disturbance import ALL, EVERY, Disturbance, byte_disturber
from embodied.devices.virtual import VirtualDevice
from embodied.errors import LinkFailed


class PseudoTerminal:
    """Pseudo terminal for a virtual device on a serial line: open at both ends, raw, so that drivers may come and go.

    Args:
        link: path of a symbolic link to its port, whose own name the system chooses; empty for none.

    Attributes:
        descriptor: end of the virtual device; reading and writing it never wait.
        address: path that a driver opens as a serial port.

    Raises:
        LinkFailed: another virtual device, or something that is no link, is at the path of the link.
    """

    def __init__(self, link: str = "") -> None:
        self.descriptor, self._driver_end = pty.openpty()
        self._link = Path(link) if link else None
        try:
            tty.setraw(self._driver_end)
            os.set_blocking(self.descriptor, False)
            name = os.ttyname(self._driver_end)
            self.address = link or name
            if self._link is not None:
                _link(self._link, name)
        except BaseException:
            self._close_ends()
            raise

    def close(self) -> None:
        """Close both ends and remove the link; a driver that has the port open gets an error."""
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        self._close_ends()

    def _close_ends(self) -> None:
        os.close(self.descriptor)
        os.close(self._driver_end)


def _link(path: Path, name: str) -> None:
    try:
        if path.is_symlink() and str(path.readlink()) == name:
            # Left behind by a process that was killed; the system has given its terminal's name to this one.
            return
        # Whether a link of another user leads anywhere may be hidden too, and such a link cannot be removed.
        if path.is_symlink() and not path.exists():
            path.unlink(missing_ok=True)
        path.symlink_to(name)
    except OSError as error:
        raise LinkFailed(
            f"{path} cannot lead to the virtual device ({error.strerror}): choose another link, or remove it if "
            "nobody serves it any more"
        ) from error


@dataclass
class VirtualSerial(VirtualDevice):
    """Base of a virtual device on a pseudo terminal, with the faults of a serial line; its `step` calls `receive`.

    Attributes:
        link: path of a symbolic link to its port; empty for none.
    """

    link: str = field(default="", kw_only=True)

    _terminal: PseudoTerminal | None = field(default=None, init=False, repr=False, compare=False)

    disturbances = ALL

    def open(self) -> None:
        """Open the terminal; `address` is then what a driver opens as a serial port.

        Raises:
            LinkFailed: something else is at the path of the link.
        """
        self._terminal = PseudoTerminal(self.link)
        self.address = self._terminal.address
        self._unplugged = False
        self._disturber = byte_disturber()

    def receive(self) -> bytes:
        """Return all bytes that arrived since the last call; none while it is unplugged."""
        data = b""
        if self._terminal is not None:
            with suppress(BlockingIOError):
                data = os.read(self._terminal.descriptor, 65536)
        return b"" if self._unplugged else data

    def send(self, frame: bytes) -> None:
        """Send a frame, disturbed if a disturbance is set."""
        if self._unplugged or self._terminal is None:
            return
        with suppress(BlockingIOError):
            os.write(self._terminal.descriptor, b"".join(self._disturber.apply(frame)))

    def close(self) -> None:
        """Close the terminal, if it is open."""
        if self._terminal is not None:
            self._terminal.close()
        self._terminal = None

    def unplug(self) -> None:
        """Drop all bytes in both directions."""
        self._unplugged = True

    def plug(self) -> None:
        """Pass bytes in both directions again."""
        self._unplugged = False

    freeze, thaw = unplug, plug

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth frame that is sent."""
        self._disturber.set(how, every)
