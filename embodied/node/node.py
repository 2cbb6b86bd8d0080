"""Base classes of nodes, drivers and guards: fields are settings, `step` is behaviour, its signature the ports."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from embodied.node.identity import Identity
from embodied.node.ports import Ports, read_ports
from embodied.ranges import Range
from embodied.world import World


class Node:
    """Base of every node; a subclass is a dataclass with a `step`.

    It may also have `open()`, or `open(world: World)` if it lives in the simulated world, and `close()`; these acquire
    and release devices and models. It never calls another node, reads a clock, opens a link or knows a topic name.

    Attributes:
        rate: of `step` [Hz]; None: it runs on each new value of its first input.
        rng: random numbers, seeded from the run's seed and the node's name.
        listened: names of the outputs with a subscriber; set by the runner, read by a camera.
        wired: names of the inputs with a wire; set by the graph, so that `check` and `step` can distinguish a silent
            input from one that is not used.
    """

    rate: float | str | Fraction | None = None
    rng: np.random.Generator
    listened: frozenset[str] = frozenset()
    wired: frozenset[str] = frozenset()

    def ports(self) -> Ports:
        """Return inputs and outputs; a subclass may refine sizes, frames, dtypes, units and modes."""
        return read_ports(type(self))

    def claims(self) -> Iterable[str]:
        """Yield what no other node may use at the same time: a device, an address, a body of the world.

        Each is a noun phrase, in the same words for every node that means the same thing, however it is written in the
        settings: `the xArm at 192.168.1.185:502`. `check` refuses a graph in which two nodes claim the same.
        """
        return ()

    def check(self) -> Iterable[str]:
        """Yield the problems with the settings, one sentence each, without opening any device."""
        return ()

    def check_world(self, world: World) -> Iterable[str]:
        """Check the settings against the world that `open` will get; yield one sentence a problem.

        Args:
            world: world of the launch file, made from its settings and not reset: it knows its names, without bodies.
        """
        del world
        return ()

    def files(self) -> Iterable[Path]:
        """Return the files that it reads and no setting names, such as the weights beside a model.

        A suite that is resumed or compared takes their contents for a part of the scenario.
        """
        return ()


class Driver(Node):
    """Base of the nodes that are a device, or a body in the simulated world.

    `step(command: T | None) -> (state, applied)`. None means that no command is in force: hold, or come to a controlled
    stop. `applied` is the command that was really sent, after the device's own clipping.

    Start-up has this order: `open` connects and moves nothing, `identify` reports the device, the runner compares that
    with the launch file, and only then `arm` lets it move. `close` leaves it standing still and reads that back, of a
    device that may follow an order of this driver, unless `step` has reported that it is lost or that somebody else
    commands it; it raises `NotStopped` with what was read. `embodied.testing.DriverContract` tests for all of this.

    Attributes:
        stops_within: time from the last command until the device stands still by itself, at most [s].
        lost_within: time from the device's last answer until `step` raises `DeviceLost`, at most [s].
    """

    stops_within: float = 0.5
    lost_within: float = 0.5

    def claims(self) -> Iterable[str]:
        """Yield the serial number that is wanted, and the port or channel, from settings `serial`, `port`, `channel`.

        A subclass with another kind of address adds that one.
        """
        serial, ports = (getattr(self, "serial", ""), (getattr(self, "port", ""), getattr(self, "channel", "")))
        if isinstance(serial, str) and serial:
            yield f"the device with the serial number {serial}"
        for port in ports:
            if isinstance(port, str) and port:
                # Two links to one file are one port.
                yield f"the port {os.path.realpath(port) if port.startswith('/') else port}"

    def identify(self) -> Identity:
        """Return the identity of the open device; a body of the simulated world needs none."""
        raise NotImplementedError(f"{type(self).__name__} does not identify its device")

    def arm(self) -> None:
        """Enable motion, where the device requires it; motion that was interrupted before is not continued."""

    def halt(self) -> None:
        """Stop the device now, and read back that it stands still; a new `arm` is needed to go on.

        Raises:
            NotStopped: the device does not confirm that it has stopped.
        """


class Guard(Node):
    """Base of the nodes that may command drivers. Rated, so that it detects silence; it steps on every tick.

    Attributes:
        ranks: names of the command inputs, from the highest rank; when one is silent, the next lower takes over.
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

    Args:
        node: the node.
        name: of the setting.
        value: within the bounds of the setting.

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
    """Create random numbers for one purpose of one run: equal for equal seed and names, on every machine.

    Args:
        seed: of the run.
        names: of the node and the purpose.
    """
    text = "\0".join((str(seed), *names)).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(text).digest()[:16], "little")))
