"""Base of virtual devices: nodes that answer a driver as the device would, over its own protocol, with a body behind.

In a graph a virtual device lives in the world's process and knows nothing but what arrives over the wire. A test or a
rehearsal may also break it, and compare what it received; the methods here are for that. They are called from another
thread than `step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from embodied.devices.disturbance import EVERY, Disturbance
from embodied.messages.schema import Command, Vector
from embodied.node.node import Node

RECEIVED_MOST = 100_000
"""Number of commands that a virtual device keeps, the newest: one that is served for days does not fill the memory."""


class Unsupported(Exception):
    """Test that a virtual device cannot do: its protocol has no such thing, or it is a real device."""


class VirtualDevice(Node):
    """Base of virtual devices; a method that a device does not override raises `Unsupported`.

    Attributes:
        address: where a driver reaches it, once it is open: `127.0.0.1:502`, `/dev/pts/4`.
        disturbances: kinds of disturbance that a driver can detect on its wire.
        faults: further faults that can be injected: `over-temperature`, `power loss`.
        late: largest delay of its own thread, if it has one [s]; it tells a slow machine from a slow driver.
    """

    address: str = ""
    disturbances: tuple[Disturbance, ...] = ()
    faults: tuple[str, ...] = ()
    late: float = 0.0

    def received(self) -> Sequence[Command]:
        """Return the commands that reached it, the newest `RECEIVED_MOST`, in SI units, oldest first."""
        return self._unsupported("list the commands that it received")

    def position(self) -> Vector:
        """Return the true position of its body, shape (n,) in the body's units."""
        return self._unsupported("measure the position of its body")

    def stopped(self) -> bool:
        """Return whether the device is in a state in which it stands and follows no command."""
        return self._unsupported("report whether it is stopped")

    def unplug(self) -> None:
        """Let nothing through in either direction."""
        self._unsupported("be unplugged")

    def plug(self) -> None:
        """Let everything through again; broken connections have to be made again."""
        self._unsupported("be plugged in")

    def freeze(self) -> None:
        """Keep the connection, and send nothing new until `thaw`."""
        self._unsupported("be frozen")

    def thaw(self) -> None:
        """Send new data again after `freeze`."""
        self._unsupported("be thawed")

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth frame that it sends; an empty kind ends it."""
        self._unsupported(f"disturb one in {every} of its frames by '{how}'")

    def press_stop(self) -> None:
        """Press the emergency stop of the device."""
        self._unsupported("press its emergency stop")

    def release_stop(self) -> None:
        """Release the emergency stop; that alone lets nothing move."""
        self._unsupported("release its emergency stop")

    def ignore_stop(self) -> None:
        """Acknowledge stop commands without stopping, until it is opened again."""
        self._unsupported("ignore a stop command")

    def inject(self, fault: str) -> None:
        """Inject one of its `faults`."""
        self._unsupported(f"have the fault '{fault}'")

    def clear_faults(self) -> None:
        """Clear every fault that was injected."""
        self._unsupported("clear faults")

    def _unsupported(self, what: str) -> NoReturn:
        raise Unsupported(f"{type(self).__name__} cannot {what}")
