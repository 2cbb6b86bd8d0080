"""A kind of device, as its folder in `drivers/` introduces it: `DEVICE` in `drivers/<device>/__init__.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from embodied.errors import LaunchError, Problem, nearest


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
        scan: place of a function that looks for such devices: `scan(host: str) -> Iterable[Found]`; empty if none can.
        contract: place of a function `bench(driver) -> Bench` for a real device of the kind; empty if there is none.
        extra: of embodied, with what it needs to be installed.
    """

    name: str
    title: str
    models: tuple[str, ...]
    driver: str
    virtual: str
    bench: str
    scan: str = ""
    contract: str = ""
    extra: str = ""


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


Scan = Callable[[str], Iterable[Found]]


def devices() -> dict[str, Device]:
    """Every device with a folder in `drivers/`, of embodied and of the project, by name."""
    rooms = importlib.import_module("drivers")

    found = {}
    for module in pkgutil.iter_modules(rooms.__path__):
        device = getattr(importlib.import_module(f"drivers.{module.name}"), "DEVICE", None)
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
        raise LaunchError([Problem("E008", f"there is no device '{name}'", help=nearest(name, known))])
    return known[name]


def place(where: str) -> Any:
    """What stands at a place.

    Args:
        where: `module:name`.
    """
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)
