"""A kind of device, as its folder in `drivers/` introduces it: `DEVICE` in `drivers/<device>/__init__.py`."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from embodied.errors import FOREIGN, LaunchError, Problem, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What there is to know about a kind of device before it is opened. Places are written `module:name`.

    Attributes:
        name: of its folder.
        title: what it is, in a few words.
        models: that were tried, or that its protocol is stated for.
        driver: place of its driver.
        virtual: place of its far side.
        bench: launch file, beside the folder's other files, that runs the far side with a body.
        scan: place of a function that looks for such devices, `scan(hosts) -> Iterable[Found]`; empty if none can.
        calibrate: place of a function that measures a device with a person's help, a `Calibrate`; empty if none does.
        extra: of embodied, with what it needs to be installed.
        modules: that the extra brings.
    """

    name: str
    title: str
    models: tuple[str, ...]
    driver: str
    virtual: str
    bench: str
    scan: str = ""
    calibrate: str = ""
    extra: str = ""
    modules: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether what it needs is there."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        spec = importlib.util.find_spec(self.driver.partition(":")[0])
        if spec is None or spec.origin is None:
            raise LaunchError([Problem("E008", f"the folder of the device '{self.name}' cannot be found")])
        return Path(spec.origin).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that a scan met.

    Attributes:
        address: what to write into the launch file or the site.
        what: model and serial number, as far as it said.
        settings: by name, as a driver of it takes them.
    """

    address: str
    what: str
    settings: dict[str, Any]


Scan = Callable[[Sequence[str]], Iterable[Found]]
"""Looks at the hosts that were named, and wherever else such devices are found."""


class Person(Protocol):
    """Somebody beside a device, who does what nobody else can."""

    def tell(self, text: str) -> None:
        """Say something to them."""

    def ask(self, text: str) -> None:
        """Ask for something, and return when they say that it is done."""

    def waits(self, line: str, seconds: float) -> bool:
        """Wait for their word, no longer than this.

        Args:
            line: how things are, in place of what it was.
            seconds: at most [s].

        Returns:
            whether they have said that it is done.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What was measured of a device.

    Attributes:
        calibration: for its driver's setting of that name, plain data.
        limits: of joints that stop before the launch file's limits, `lower`, `upper` or both by joint [rad].
    """

    calibration: dict[str, Any]
    limits: dict[str, dict[str, float]]


Calibrate = Callable[[Any, Person, Callable[[Calibrated], None]], None]
"""Measures the device of a driver that is closed. What it finds is handed on to be kept in the very moment from which
on it holds; raises that, the device is as it was before."""


def devices() -> dict[str, Device]:
    """Every device with a folder in `drivers/`, of embodied and of the project, by name; broken ones are left out."""
    rooms = importlib.import_module("drivers")

    found = {}
    for module in pkgutil.iter_modules(rooms.__path__):
        try:
            device = getattr(importlib.import_module(f"drivers.{module.name}"), "DEVICE", None)
        except FOREIGN:
            continue
        if isinstance(device, Device):
            found[device.name] = device
    return dict(sorted(found.items()))


def device(name: str) -> Device:
    """The device of a name.

    Raises:
        LaunchError: there is none.
    """
    known = devices()
    if name not in known:
        spec = importlib.util.find_spec(f"drivers.{name}") if name.isidentifier() else None
        unsaid = () if spec is None else (f"drivers/{name}/ is there, and its __init__.py has no DEVICE",)
        raise LaunchError([Problem("E008", f"there is no device '{name}'", help=(*unsaid, *nearest(name, known)))])
    return known[name]


def place(where: str) -> Any:
    """What stands at a place.

    Args:
        where: `module:name`.
    """
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)
