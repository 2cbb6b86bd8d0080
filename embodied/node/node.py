"""A node is a value plus a function: fields are settings, `step` is behaviour, its signature is the ports."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from embodied.node.identity import Identity
from embodied.node.ports import Ports, read_ports
from embodied.ranges import Range
from embodied.world import World


class Node:
    """Base of every node; a subclass is a dataclass with a `step`.

    It may also have `open()`, or `open(world: World)` if it lives in the simulated world, and `close()`; these hold
    devices and models. It never calls another node, asks for a clock, opens a link or knows a topic name.

    Attributes:
        rate: how often `step` is called [Hz]; None: on each new value of its first input.
        rng: random numbers, seeded from the run's seed and the node's name.
        listened: names of the outputs that someone takes; the runner keeps it, a camera reads it.
        wired: names of the inputs that a wire leads to; the graph keeps it, so that `check` and `step` can tell an
            input that is silent from one that nobody meant to give.
    """

    rate: float | str | Fraction | None = None
    rng: np.random.Generator
    listened: frozenset[str] = frozenset()
    wired: frozenset[str] = frozenset()

    def ports(self) -> Ports:
        """What it takes and gives; a subclass may refine sizes, frames, dtypes, units and modes."""
        return read_ports(type(self))

    def check(self) -> Iterable[str]:
        """Problems with the settings, one sentence each, found without opening any device."""
        return ()

    def check_world(self, world: World) -> Iterable[str]:
        """Check the settings against the world that `open` will get; yield one sentence a problem.

        Args:
            world: world of the launch file, made from its settings and not reset: it knows its names, without bodies.
        """
        del world
        return ()


class Driver(Node):
    """Base of the nodes that are a device, or a body in the simulated world.

    `step(command: T | None) -> (state, applied)`. None means that nobody is commanding: hold, or come to a controlled
    stop. `applied` is what was really sent, after the device's own clipping.

    A device is met in this order: `open` connects and moves nothing, `identify` says what is there, the runner compares
    that with the launch file, and only then `arm` lets it move. `close` leaves it standing still.
    `embodied.testing.DriverContract` holds a driver to all of this.

    Attributes:
        stops_within: so long after its last command the device stands still, by itself [s].
        lost_within: so long after a device fell silent `step` raises `DeviceLost` [s].
    """

    stops_within: float = 0.5
    lost_within: float = 0.5

    def identify(self) -> Identity:
        """What the open device is; a body of the simulated world needs not say."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it drives")

    def arm(self) -> None:
        """Let it move, where the device has to be told; motion that was under way before is not continued."""

    def halt(self) -> None:
        """Stop it now, and read back that it stands; a new `arm` is needed to go on.

        Raises:
            NotStopped: it does not say that it has stopped.
        """


class Guard(Node):
    """Base of the nodes that may hand commands to drivers. Rated, so that silence is seen; it steps on every tick.

    Attributes:
        ranks: names of the inputs that command, from the highest rank; in silence the next one below is in charge.
    """

    ranks: tuple[str, ...] = ("operator", "command")


def tunable(default: float, *, low: float, high: float, unit: str = "") -> Any:
    """Declare a setting that may change while the graph runs, between steps.

    Args:
        default: value at the start.
        low: lowest value that is allowed.
        high: highest value that is allowed.
        unit: SI unit, for people.

    Raises:
        ValueError: the default is outside its bounds.
    """
    limits = Range(low, high, unit)
    limits.require(default=default)
    return dataclasses.field(default=default, metadata={"tunable": limits})


def tune(node: Node, name: str, value: float) -> None:
    """Change a tunable setting of a running node.

    Raises:
        ValueError: there is no such tunable setting, or the value is outside its bounds.
    """
    limits = bounds(type(node))
    if name not in limits:
        known = ", ".join(sorted(limits)) or "none"
        raise ValueError(f"{type(node).__name__} has no tunable setting '{name}'; it has {known}")
    limits[name].require(**{f"{type(node).__name__}.{name}": value})
    setattr(node, name, float(value))


def bounds(kind: type) -> dict[str, Range]:
    """Return the ranges of the tunable settings of a class, by name."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return {field.name: field.metadata["tunable"] for field in fields if "tunable" in field.metadata}


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers for one purpose of one run: the same for the same seed and names, anywhere."""
    text = "\0".join((str(seed), *names)).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(text).digest()[:16], "little")))
