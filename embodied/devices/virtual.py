"""The far side of a wire: a node that answers a driver as the device would, with a body behind it.

In a graph it lives in the world's process and is told nothing but what comes over the wire. A test, and whoever
rehearses faults, may also break it, and see what became of what it was sent; that is what the methods here are for.
They are called from another thread than `step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from embodied.devices.disturbance import EVERY, Disturbance
from embodied.messages.schema import Command, Vector
from embodied.node.node import Node


class Cannot(Exception):
    """This far side cannot do what was asked of it: its wire has no such thing, or it is a real device."""


class Virtual(Node):
    """Base of the far sides. Each method that a device has no use for stays as it is here, and says so.

    Attributes:
        address: where it is reached, once it is open: `127.0.0.1:502`, `/dev/pts/4`.
        disturbances: what can happen on its wire that a driver can notice.
        harms: what else can go wrong with it: `over-temperature`, `power loss`.
        late: by how much a thread of its own was late, if it has one [s]; the machine is slow, not the driver.
    """

    address: str = ""
    disturbances: tuple[Disturbance, ...] = ()
    harms: tuple[str, ...] = ()
    late: float = 0.0

    def heard(self) -> Sequence[Command]:
        """Every command that reached it since it was opened, in SI units, oldest first."""
        return self._cannot("tell what it heard")

    def position(self) -> Vector:
        """Where its body really is, shape (n,) in the body's units."""
        return self._cannot("tell where its body is")

    def standing(self) -> bool:
        """Whether it counts itself as stopped, and would not follow a command."""
        return self._cannot("tell whether it is stopped")

    def unplug(self) -> None:
        """From now on nothing comes through, either way."""
        self._cannot("be unplugged")

    def plug(self) -> None:
        """Everything comes through again; links that broke have to be made anew."""
        self._cannot("be plugged in")

    def freeze(self) -> None:
        """The wire is whole, and it says nothing new any more, until `thaw`."""
        self._cannot("be frozen")

    def thaw(self) -> None:
        """It speaks again."""
        self._cannot("be thawed")

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Every so many frames that it sends, one is disturbed; empty ends that."""
        self._cannot(f"disturb one in {every} of its frames by '{how}'")

    def press(self) -> None:
        """Its emergency stop is pressed."""
        self._cannot("press its emergency stop")

    def release(self) -> None:
        """Its emergency stop is released; that alone lets nothing move."""
        self._cannot("release its emergency stop")

    def deafen(self) -> None:
        """It acknowledges to be told to stop, and does not, until it is opened again."""
        self._cannot("disobey")

    def harm(self, what: str) -> None:
        """One of `harms` happens."""
        self._cannot(f"suffer '{what}'")

    def heal(self) -> None:
        """Its harms are over."""
        self._cannot("heal")

    def _cannot(self, what: str) -> NoReturn:
        raise Cannot(f"{type(self).__name__} cannot {what}")
