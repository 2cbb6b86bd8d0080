"""A device on a bench: a driver at one end of a real wire, and at the other its far side."""

from __future__ import annotations

import unittest
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from embodied.devices.virtual import Unsupported, VirtualDevice
from embodied.errors import DeviceLost
from embodied.messages import DroneState, JointState, Vector
from embodied.messages.schema import Command
from embodied.node.node import Driver, generator
from embodied.runtime.lifecycle import meet
from embodied.testing.serving import Drive, Serving
from embodied.world import World


class Bench:
    """What a contract needs of one device: drivers for it, its far side, and how it moves.

    Attributes:
        virtual: the virtual device; it is served as long as the bench is entered.
        commanded: whether it takes commands; a camera does not, and needs none of what is about them.
        witnessed: whether somebody sees what reaches the device; of a real one nobody does.
        world: in which the far side's body is; None if it needs none.
        serving: the far side, while it is served.
        tolerance: by which positions may differ and still be the same, in the body's units.
        reaction: so long after its first command it can be seen to move [s].
        drive: the newest, of a driver that was made ready.
        patience: if either side was late by more, what fails says nothing about a driver [s].
    """

    virtual: VirtualDevice
    commanded: bool = True
    witnessed: bool = True
    world: World | None = None
    serving: Serving | None = None
    tolerance: float = 5e-3
    reaction: float = 0.3
    drive: Drive | None = None
    patience: float = 0.15

    def driver(self, **changes: Any) -> Driver:
        """A new driver, closed, for the far side; with some of its settings changed."""
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[None]:
        """As long as this is entered the far side is there."""
        with Serving(self.virtual, self.world) as self.serving:
            yield

    @contextmanager
    def judged(self) -> Iterator[None]:
        """What fails in here skips the test, if this machine was too slow to judge, or if the far side cannot do it."""
        try:
            yield
        except Unsupported as reason:
            raise unittest.SkipTest(str(reason)) from reason
        except (AssertionError, DeviceLost) as error:
            if self.late > self.patience:
                text = f"this machine is too slow to judge: one side was late by {self.late:.2f} s; {error}"
                raise unittest.SkipTest(text) from error
            raise

    @property
    def late(self) -> float:
        """By how much either side was late [s]."""
        return max(side.late for side in (self.virtual, self.serving, self.drive) if side is not None)

    def motion(self, seconds: float) -> Command:
        """A command so many seconds into a slow motion from where the device began."""
        raise NotImplementedError

    def rest(self) -> None:
        """The device stands: what of a motion was under way is over."""

    def forbidden(self) -> list[Command]:
        """Commands of which no part may reach the wire as it is: not finite, or beyond the limits."""
        raise NotImplementedError

    def allowed(self, heard: Command) -> bool:
        """Whether something that was heard may be asked of the device."""
        raise NotImplementedError

    def same(self, applied: Command, heard: Command) -> bool:
        """Whether what was applied is what was heard."""
        return applied == heard

    def wrong(self) -> list[dict[str, Any]]:
        """Settings with each of which the device is not the one that is wanted."""
        return [{"serial": "somebody else's"}]

    def position(self, drive: Drive | None = None) -> Vector:
        """Where the body is, shape (n,): as its far side says, or, of a real device, its own driver.

        Args:
            drive: of the driver that is open; None if none is.

        Raises:
            Unsupported: nobody says.
        """
        if self.witnessed:
            return self.virtual.position()
        if drive is None:
            raise Unsupported("only its own driver sees where it is")
        count = len(drive.outputs)
        drive.go(0.2)
        for given in reversed(drive.outputs[count:]):
            if isinstance(state := given.get("state"), JointState | DroneState):
                return state.position
        raise Unsupported("it does not say where it is")

    def received(self) -> Sequence[Command]:
        """What reached the device, as far as somebody can tell."""
        return self.virtual.received()

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """A driver that is open, met and armed; closed afterwards."""
        driver: Any = self.driver(**changes)
        driver.rng = generator(0, "driver")
        self.drive = drive = Drive(driver)
        self.rest()
        try:
            driver.open()
            meet("driver", driver)
            driver.arm()
            drive.begin()
            yield drive
        finally:
            drive.close()
