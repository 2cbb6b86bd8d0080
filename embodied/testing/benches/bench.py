"""Base of benches: a driver at one end of a real connection, and at the other its virtual device."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from embodied.devices.virtual import Unsupported, VirtualDevice
from embodied.errors import DeviceLost, NotStopped
from embodied.messages import DroneState, JointState, Vector
from embodied.messages.schema import Command, Message
from embodied.node.node import Driver, generator
from embodied.runtime.lifecycle import meet
from embodied.testing.serving import Drive, Serving
from embodied.world import World

Published = Callable[[dict[str, Message]], bool]
"""Function that returns whether the outputs of one step of a driver, by port, contain a part."""


class Bench:
    """Base of a bench: makes the drivers of one device, serves its virtual device, and knows how it moves.

    Attributes:
        virtual: virtual device, which is served while `served` is entered.
        commanded: whether the device takes commands; a sensor does not, and needs none of the methods about them.
        witnessed: whether what reaches the device can be observed; that of a real one cannot.
        world: world of the virtual device's body; None if it needs none.
        serving: thread that serves the virtual device.
        tolerance: difference of positions that counts as none, in the body's units.
        reaction: time from the first command until motion can be observed [s].
        drive: newest run of a driver.
        patience: delay of either side above which a failure says nothing about the driver [s].
        reported_within: time until the driver reports that a part is missing, or that somebody else has the device [s];
            None is its `lost_within`.
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
    reported_within: float | None = None

    def driver(self, **changes: Any) -> Driver:
        """Return a new driver for the virtual device, closed, with some of its settings changed."""
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serve the virtual device while this is entered."""
        with Serving(self.virtual, self.world) as self.serving:
            yield

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Skip the test instead of failing it, if this machine was too slow or the device cannot do something."""
        try:
            yield
        except Unsupported as reason:
            raise unittest.SkipTest(str(reason)) from reason
        except (AssertionError, DeviceLost, NotStopped) as error:
            if self.late > self.patience:
                text = f"this machine is too slow to judge: one side was late by {self.late:.2f} s; {error}"
                raise unittest.SkipTest(text) from error
            raise

    @property
    def late(self) -> float:
        """Largest delay of either side [s]."""
        return max(side.late for side in (self.virtual, self.serving, self.drive) if side is not None)

    def motion(self, seconds: float) -> Command:
        """Return the command at a time of a slow motion [s], which begins where the device began."""
        raise NotImplementedError

    def rest(self) -> None:
        """Forget a motion that was under way, since the device stands."""

    def forbidden(self) -> list[Command]:
        """Return commands that must not reach the device: not finite, or beyond its limits."""
        raise NotImplementedError

    def allowed(self, received: Command) -> bool:
        """Return whether a command may reach the device."""
        raise NotImplementedError

    def same(self, applied: Command, received: Command) -> bool:
        """Return whether a command that was applied is the one that the device received."""
        return applied == received

    def wrong(self) -> list[dict[str, Any]]:
        """Return settings with each of which this is not the device that the driver expects."""
        return [{"serial": "somebody else's"}]

    def position(self, drive: Drive | None = None) -> Vector:
        """Return the position of the body, shape (n,), from the virtual device or from a real device's driver.

        Args:
            drive: run of the driver that is open; None if none is.

        Raises:
            Unsupported: nothing measures it.
        """
        if self.witnessed:
            return self.virtual.position()
        if drive is None:
            raise Unsupported("only its own driver measures its position")
        count = len(drive.outputs)
        drive.go(0.2)
        for outputs in reversed(drive.outputs[count:]):
            if isinstance(state := outputs.get("state"), JointState | DroneState):
                return state.position
        raise Unsupported("it does not report its position")

    def received(self) -> Sequence[Command]:
        """Return the commands that reached the device, as far as that can be observed."""
        return self.virtual.received()

    def safe(self) -> bool:
        """Return whether the device is left as a closed driver has to leave it."""
        return self.virtual.stopped()

    def parts(self) -> dict[str, Published]:
        """Return the parts of the driver's outputs that the device reports apart from each other, by name.

        A part is in a frame, a stream or a reply of its own, and may cease alone: the attitude, the temperature, the
        gripper. Each name has a function that returns whether the outputs of one step contain that part:
        `{"gripper": lambda outputs: "gripper" in outputs}`.

        Raises:
            Unsupported: it reports all in one piece.
        """
        raise Unsupported(f"{type(self).__name__} has no parts that could fall silent alone")

    def silent(self, part: str) -> AbstractContextManager[None]:
        """Return a context in which the device goes on, and does not report one of its `parts`.

        Args:
            part: name of the part.
        """
        raise Unsupported(f"{type(self).__name__} cannot silence {part} alone")

    def replacement(self) -> Callable[[], None]:
        """Return a function that puts another device of the same model, with another serial number, in its place.

        The other one answers at the same address when the function returns, and stands. It is called while the driver
        is open and moves the device; the connection may be cut meanwhile, as when somebody changes the device.

        Raises:
            Unsupported: no device can take its place unnoticed; the reason why.
        """
        raise Unsupported(f"{type(self).__name__} cannot put another device in its place")

    def unanswered(self) -> AbstractContextManager[None]:
        """Return a context in which the device carries out every order and answers none; its reports go on.

        Raises:
            Unsupported: its orders have no answers; the reason why.
        """
        raise Unsupported(f"{type(self).__name__} cannot lose the answers to orders")

    def intrusions(self) -> dict[str, Callable[[], None]]:
        """Return the ways in which somebody else can command, stop, reset or restart the device, by name.

        Each is called in the middle of a motion, while the driver is open and not stepped, and returns once it is
        done and the device stands: `{"another client moves it": self._move_by_another_client}`.

        Raises:
            Unsupported: nobody else can reach it; the reason why.
        """
        raise Unsupported(f"{type(self).__name__} has nobody else who could command it")

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """Open, identify and arm a new driver, and close it afterwards.

        Args:
            changes: settings of the driver to change.
        """
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
